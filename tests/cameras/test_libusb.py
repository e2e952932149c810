"""What is plugged in, by real libusb."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator

import pytest

from aevents import MissingExtraError
from aevents.cameras import libusb
from aevents.cameras.libusb import UsbDevice, devices
from aevents.testing.cameras import DAVIS346, DVXplorer, emulated
from tests.emulated import emulated_test

DVXPLORERS, DAVISES = (0x152A, 0x8419), (0x152A, 0x841A)


@emulated_test
def test_devices_of_the_wanted_models_are_listed() -> None:
    with emulated(DVXplorer(serial="ONE"), DAVIS346(), DVXplorer(serial="TWO")):
        assert devices({DVXPLORERS}) == [
            UsbDevice(0x152A, 0x8419, 1, 2, "ONE", version=8),
            UsbDevice(0x152A, 0x8419, 1, 4, "TWO", version=8),
        ]
        assert devices({DAVISES}) == [UsbDevice(0x152A, 0x841A, 1, 3, "00000346", version=6)]
        assert devices({(1, 2)}) == []


@emulated_test
def test_a_serial_number_that_cannot_be_told_is_empty() -> None:
    with emulated(DVXplorer(serial="")):
        assert devices({DVXPLORERS}) == [UsbDevice(0x152A, 0x8419, 1, 2, version=8)]


@emulated_test
def test_devices_come_and_go() -> None:
    with emulated(DVXplorer(), DAVIS346()) as cameras:
        cameras.unplug(0)
        assert devices({DVXPLORERS}) == []
        cameras.unplug(1)
        assert devices({DVXPLORERS, DAVISES}) == []
        cameras.plug(0)
        assert devices({DVXPLORERS}) == [UsbDevice(0x152A, 0x8419, 1, 4, "DXA00042", version=8)]


@pytest.fixture
def fresh() -> Iterator[None]:
    libusb.loaded.cache_clear()
    yield
    libusb.loaded.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_libusb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libusb, "find_spec", lambda _: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    with pytest.raises(MissingExtraError) as caught:
        devices(())
    assert caught.value.install == "pip install 'aevents[usb]'"
