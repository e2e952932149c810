"""A model answers as the USB specification says."""

from __future__ import annotations

import pytest

from aevents.testing.cameras.usb import BULK, IN, INTERRUPT, Endpoint, Setup, Stall, UsbModel


class Thing(UsbModel):
    vendor, product, version = 0x152A, 0x8419, 0x0108
    names = ("Maker", "Thing")
    endpoints = (Endpoint(0x81, INTERRUPT, 64), Endpoint(0x82, BULK, 1024))


def asked(request: int, value: int = 0, type: int = IN) -> bytes:
    return Thing("S1").control(Setup(type, request, value, 0, 255), b"")


def test_the_device_descriptor() -> None:
    expected = "12 01 0003 ff 00 00 09 2a15 1984 0801 01 02 03 01"
    assert asked(6, 0x0100) == bytes.fromhex(expected)


def test_the_configuration_has_the_endpoints() -> None:
    expected = (
        "09 02 2c00 01 01 00 80 64   09 04 00 00 02 ff 00 00 00"
        "07 05 81 03 4000 01   06 30 00 00 0000   07 05 82 02 0004 00   06 30 0f 00 0000"
    )
    assert asked(6, 0x0200) == bytes.fromhex(expected)


@pytest.mark.parametrize(("index", "text"), [(1, "Maker"), (2, "Thing"), (3, "S1")])
def test_strings(index: int, text: str) -> None:
    told = asked(6, 0x0300 | index)
    assert told[:2] == bytes([2 + 2 * len(text), 3])
    assert told[2:].decode("utf-16-le") == text


def test_the_language_is_english() -> None:
    assert asked(6, 0x0300) == bytes.fromhex("04 03 0904")


def test_what_it_is_set_to() -> None:
    assert asked(8) == b"\x01"
    assert asked(0) == b"\x00\x00"
    assert asked(9, 1, type=0) == b""


@pytest.mark.parametrize("value", [0x0304, 0x0F00])
def test_descriptors_that_it_has_not_stall(value: int) -> None:
    with pytest.raises(Stall):
        asked(6, value)


def test_it_has_nothing_of_its_own() -> None:
    with pytest.raises(Stall):
        asked(0xBF, type=0xC0)
    with pytest.raises(Stall):
        Thing("S1").receive(2, b"")
    assert Thing("S1").send(0x82, 512) is None
