"""Programs that use pyusb read our models, in their own process: exactly what these send."""

from __future__ import annotations

import errno
import importlib
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import usb.core
import usb.util

from aevents import EventBatch, MissingExtraError, Sensor, TriggerBatch
from aevents.cameras.imx636 import Imx636, Settings
from aevents.cameras.treuzell import Treuzell
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.header import write_header
from aevents.codecs.raw import raw_lines
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import DAVIS346, EVK4, DVXplorer, Fault, UsbModel
from aevents.testing.cameras.pyusb import PyusbBackend

HD = Sensor(1280, 720)
ON = ((9, 0), (0, 1), (0, 0), (1, 3))
"""Modules and parameters that must be on for events of iniVation's cameras to come."""


class Device:
    """What Treuzell speaks through, by pyusb."""

    def __init__(self, device: Any) -> None:  # noqa: ANN401  # pyusb has no types
        self.device = device

    def write(self, endpoint: int, data: bytes, /) -> None:
        assert self.device.write(endpoint, data) == len(data)

    def read(self, endpoint: int, most: int, /) -> bytes:
        return bytes(self.device.read(endpoint, most))


def found(*models: UsbModel) -> Any:  # noqa: ANN401
    return usb.core.find(backend=PyusbBackend(*models))


def failure(call: Callable[..., object], *arguments: object, **options: object) -> int:
    with pytest.raises(usb.core.USBError) as caught:
        call(*arguments, **options)
    return int(caught.value.errno or 0)


def test_the_events_of_an_evk4_are_read_by_pyusb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents.cameras.imx636.RESET", ())
    batch = example_events(50_000, sensor=HD)
    device = found(EVK4([batch], serial="0000beef", realtime=False))
    board = Treuzell(Device(device), 0x82, 0x02)
    assert (board.serial, hex(board.version)) == ("0000beef", "0x30a00")
    assert board.devices() == [["psee,ccam5_imx636"]]
    chip = Imx636(board, 0)
    chip.begin()
    chip.configure(Settings(), edges=False)
    chip.start()
    decoder = Evt3Decoder(sensor=HD)
    decoder.hurry()
    items: list[EventBatch | TriggerBatch] = []
    list(decoder.feed(write_header(raw_lines("EVT3", "3.0", HD))))
    while sum(map(len, items)) < len(batch):
        items += decoder.feed(bytes(device.read(0x81, 1 << 16)))
    chip.end()
    assert_same_events([each for each in items if isinstance(each, EventBatch)], [batch])
    assert failure(device.read, 0x81, 64, timeout=5) == errno.ETIMEDOUT  # it has been stopped


def test_the_words_of_a_davis_are_read_by_pyusb() -> None:
    batch = EventBatch.from_columns(t=[5, 6], x=[7, 8], y=[9, 9], p=[1, 0], sensor=Sensor(346, 260))
    model = DAVIS346([batch], realtime=False)
    model.settle_s = 0
    device = found(model)
    assert bytes(device.ctrl_transfer(0xC0, 0xBF, 1, 0, 4)) == struct.pack(">I", 346)
    for module, parameter in ON:
        assert device.ctrl_transfer(0x40, 0xBF, module, parameter, struct.pack(">I", 1)) == 4
    words = np.frombuffer(device.read(0x82, 10), "<u2")
    assert [f"{word:04x}" for word in words] == ["8005", "1009", "3007", "8006", "2008"]


def test_devices_are_described() -> None:
    model = DVXplorer(serial="ONE")
    device = found(model, EVK4())
    assert (device.idVendor, device.idProduct, device.bcdDevice) == (0x152A, 0x8419, 8)
    assert (device.manufacturer, device.product, device.serial_number) == (
        "iniVation", "DVXplorer", "ONE",
    )  # fmt: skip
    (configuration,) = device
    (interface,) = configuration
    assert configuration.wTotalLength == len(model.configuration_descriptor)
    assert (interface.bInterfaceClass, interface.bNumEndpoints) == (0xFF, 2)
    assert [(each.bEndpointAddress, each.wMaxPacketSize) for each in interface] == [
        (0x81, 64), (0x82, 1024),
    ]  # fmt: skip
    assert (device.bus, device.address, device.speed) == (1, 2, 4)
    assert len(list(usb.core.find(find_all=True, backend=PyusbBackend(model, EVK4())))) == 2
    assert "DVXplorer" in str(device)


def test_faults_are_errors_as_libusb_tells_them() -> None:
    device = found(DVXplorer(fault=Fault("refuses", 2)))
    device.ctrl_transfer(0xC0, 0xBF, 1, 0, 4)
    assert failure(device.ctrl_transfer, 0xC0, 0xBF, 1, 0, 4) == errno.EPIPE
    device = found(DVXplorer(fault=Fault("ignores", 1)))
    with pytest.raises(usb.core.USBTimeoutError):
        device.ctrl_transfer(0xC0, 0xBF, 1, 0, 4, timeout=5)
    assert failure(found(EVK4(fault=Fault("refuses", 1))).write, 0x02, bytes(8)) == errno.EPIPE
    device = found(EVK4(fault=Fault("ignores", 1)))
    assert failure(device.write, 0x02, bytes(8), timeout=5) == errno.ETIMEDOUT
    assert failure(found(EVK4(fault=Fault("halts", 0))).read, 0x81, 64) == errno.EPIPE
    device = found(EVK4(fault=Fault("hushes", 0)))
    assert failure(device.read, 0x81, 64, timeout=5) == errno.ETIMEDOUT


def test_one_that_is_claimed_is_busy_for_others() -> None:
    backend = PyusbBackend(EVK4())
    first, second = (usb.core.find(backend=backend) for _ in range(2))
    first.write(0x02, struct.pack("<II", 0x72, 0))
    assert failure(second.read, 0x82, 64) == errno.EBUSY
    usb.util.dispose_resources(first)
    assert len(second.read(0x82, 64)) == 16


def test_one_that_is_unplugged_is_gone() -> None:
    model = DVXplorer()
    backend = PyusbBackend(model)
    device = usb.core.find(backend=backend)
    device.set_configuration()
    pulling = threading.Timer(0.02, backend.unplug, [model])
    pulling.start()
    assert failure(device.read, 0x81, 64, timeout=0) == errno.ENODEV  # it has waited
    pulling.join()
    assert failure(device.ctrl_transfer, 0xC0, 0xBF, 1, 0, 4) == errno.ENODEV
    assert usb.core.find(backend=backend) is None
    backend.plug(model)
    assert usb.core.find(backend=backend).serial_number == "DXA00042"


def test_what_drivers_of_kernels_do_does_nothing() -> None:
    device = found(EVK4())
    device.reset()
    device.clear_halt(0x81)
    assert device.is_kernel_driver_active(0) is False
    assert device.get_active_configuration().bConfigurationValue == 1
    device.set_interface_altsetting(0, 0)
    assert device.parent is None


def test_without_pyusb_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aevents.testing.cameras.pyusb")
    monkeypatch.setitem(sys.modules, "usb.backend", None)
    with pytest.raises(MissingExtraError, match="pyusb"):
        importlib.import_module("aevents.testing.cameras.pyusb")
