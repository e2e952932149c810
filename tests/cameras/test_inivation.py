"""What is said of a camera of iniVation is looked at at once; the camera is opened later."""

from __future__ import annotations

import pytest

import aevents
from aevents import DeviceError, EventBatch
from aevents.cameras.inivation import NAMES, prepare
from aevents.cameras.libcaer import find
from aevents.cameras.libusb import UsbDevice


def test_options_that_cannot_be_are_told_of_at_once() -> None:
    with pytest.raises(ValueError, match="hue"):
        aevents.open("usb:inivation?hue=3")
    assert callable(prepare(EventBatch, {"roi": "0,0,10x10"}))


@pytest.mark.skipif(find() is None, reason="no libcaer: pip install 'aevents[inivation]'")
def test_a_camera_that_is_not_there_cannot_be_opened() -> None:
    assert NAMES[0x152A, 0x8419] == "DVXplorer"
    with pytest.raises(DeviceError):
        prepare(EventBatch, {})(UsbDevice(0x152A, 0x8419, 99, 99))
