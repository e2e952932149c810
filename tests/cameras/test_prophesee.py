"""What is said of a camera of Prophesee is looked at at once; the camera is opened later."""

from __future__ import annotations

import pytest

import aevents
from aevents import DeviceError, EventBatch
from aevents.cameras.libusb import UsbDevice
from aevents.cameras.prophesee import prepare


def test_options_that_cannot_be_are_told_of_at_once() -> None:
    with pytest.raises(ValueError, match="sends no ImuBatch"):
        aevents.open("usb:prophesee", kind=aevents.ImuBatch)
    with pytest.raises(ValueError, match="hue"):
        aevents.open("usb:prophesee?hue=3")
    assert callable(prepare(EventBatch, {"roi": "0,0,10x10"}))
    with pytest.raises(DeviceError):
        prepare(EventBatch, {})(UsbDevice(0x04B4, 0x00F5, 99, 99))
