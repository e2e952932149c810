"""Devices that are opened by real libusb: what they are, and who has them."""

from __future__ import annotations

import pytest

from aevents import DeviceError
from aevents.cameras.libusb import UsbDevice, devices
from aevents.cameras.usb_handle import Interface, UsbHandle, check_answers
from aevents.testing.cameras import EVK4, DVXplorer, Fault, emulated
from tests.emulated import emulated_test

MODEL, KIND = (0x04B4, 0x00F5), (0xFF, 0x19)


@emulated_test
def test_the_interface_is_found_and_spoken_to() -> None:
    with emulated(EVK4()):
        (device,) = devices({MODEL})
        handle = UsbHandle(device, KIND)
        assert handle.interface == Interface(0, (0x82, 0x02, 0x81))
        handle.write(0x02, bytes.fromhex("72000000 00000000"))
        assert handle.read(0x82, 1024).hex() == "72000000080000004200050000000000"
        with pytest.raises(DeviceError, match="endpoint 0x82: it does not answer"):
            handle.read(0x82, 1024)
        handle.close()


@emulated_test
def test_only_one_has_it() -> None:
    with emulated(EVK4()):
        (device,) = devices({MODEL})
        first = UsbHandle(device, KIND)
        with pytest.raises(DeviceError, match="another program has it"):
            UsbHandle(device, KIND)
        first.close()
        UsbHandle(device, KIND).close()


@emulated_test
def test_what_is_not_there_is_told() -> None:
    with emulated(DVXplorer()) as cameras:
        (device,) = devices({(0x152A, 0x8419)})
        with pytest.raises(DeviceError, match="no interface that is known"):
            UsbHandle(device, KIND)
        with pytest.raises(DeviceError, match="it is unplugged"):
            UsbHandle(UsbDevice(*MODEL, 1, 77), KIND)
        cameras.unplug()
        with pytest.raises(DeviceError, match="it is unplugged"):
            UsbHandle(device, KIND)


@emulated_test
def test_one_that_does_not_answer_is_told_of() -> None:
    question = (0xC0, 0xBF, 6, 0)
    for fault, silent in ((None, False), (Fault("refuses", 1), False), (Fault("ignores", 1), True)):
        with emulated(DVXplorer(fault=fault)):
            (device,) = devices({(0x152A, 0x8419)})
            if silent:
                with pytest.raises(DeviceError, match="it does not answer"):
                    check_answers(device, question)
            else:
                check_answers(device, question)
