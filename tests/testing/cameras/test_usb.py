"""A model answers as the USB specification says."""

from __future__ import annotations

import pytest

from aevents.testing.cameras.usb import (
    BULK,
    IN,
    INTERRUPT,
    Endpoint,
    Fault,
    Setup,
    Silence,
    Stall,
    UsbModel,
)


class Thing(UsbModel):
    vendor, product, version = 0x152A, 0x8419, 0x0108
    names = ("Maker", "Thing")
    endpoints = (Endpoint(0x81, INTERRUPT, 64), Endpoint(0x82, BULK, 1024))
    stream = 0x82

    def vendor_request(self, setup: Setup, data: bytes) -> bytes:
        return b"yes"

    def hear(self, endpoint: int, data: bytes) -> None:
        assert (endpoint, data) == (0x02, b"hello")

    def say(self, endpoint: int, most: int) -> bytes | None:
        return b"x" * most if endpoint == self.stream else super().say(endpoint, most)


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
    model = UsbModel("S1")
    with pytest.raises(Stall):
        request(model)
    with pytest.raises(Stall):
        model.receive(2, b"")
    assert model.send(0x82, 512) is None


def request(model: UsbModel) -> bytes:
    return model.control(Setup(0xC0, 2, 0, 0, 8), b"")


def test_vendors_requests_and_messages_are_for_the_model() -> None:
    model = Thing("S1")
    assert request(model) == b"yes"
    model.receive(0x02, b"hello")
    assert (model.send(0x82, 3), model.send(0x81, 3)) == (b"xxx", None)


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault("refuses", 3), Stall), (Fault("ignores", 3), Silence)]
)
def test_a_fault_of_requests_is_from_one_on(fault: Fault, error: type[Exception]) -> None:
    model = Thing("S1", fault)
    request(model)
    model.receive(0x02, b"hello")
    for _ in range(2):
        with pytest.raises(error):
            request(model)
        with pytest.raises(error):
            model.receive(0x02, b"hello")
    assert model.control(Setup(IN, 8, 0, 0, 1), b"") == b"\x01"  # what every device must answer
    assert model.send(0x82, 3) == b"xxx"


def test_a_stream_halts_or_hushes_after_so_many_bytes() -> None:
    for fault in (Fault("halts", 5), Fault("hushes", 5)):
        model = Thing("S1", fault)
        assert (model.send(0x82, 3), model.send(0x82, 3)) == (b"xxx", b"xx")
        assert request(model) == b"yes"
        if fault.kind == "hushes":
            assert model.send(0x82, 3) is None
        else:
            with pytest.raises(Stall):
                model.send(0x82, 3)
