"""Models for programs that use pyusb, in their own process: on any system, without libusb.

    device = usb.core.find(backend=PyusbBackend(EVK4([batch])))

What is said of a method's arguments and answers is in pyusb's own `usb.backend`.
"""

from __future__ import annotations

import errno
import math
import os
import struct
import threading
import time
from array import array
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from aevents.errors import MissingExtraError
from aevents.testing.cameras.usb import IN, Setup, Silence, Stall, UsbModel

try:
    import usb.core

    if TYPE_CHECKING:

        class IBackend:
            """pyusb has no types."""

    else:
        from usb.backend import IBackend
except ImportError as _missing:
    raise MissingExtraError("pyusb", "pip install pyusb") from _missing


DEVICE = (
    "bLength bDescriptorType bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 "
    "idVendor idProduct bcdDevice iManufacturer iProduct iSerialNumber bNumConfigurations"
)
CONFIGURATION = (
    "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration "
    "bmAttributes bMaxPower"
)
INTERFACE = (
    "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass "
    "bInterfaceSubClass bInterfaceProtocol iInterface"
)
ENDPOINT = "bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval"
LAYOUTS = {
    DEVICE: "<BBHBBBBHHHBBBB",
    CONFIGURATION: "<BBHBBBBB",
    INTERFACE: "<9B",
    ENDPOINT: "<BBBBHB",
}
"""Descriptors as chapter 9 of the USB specification has them."""
FIRST_ENDPOINT, ENDPOINT_BYTES, COMPANION_BYTES = 18, 7, 6
"""In a configuration of ours: where the endpoints begin, each with its companion."""
SUPER_SPEED = 4
LIBUSB_CODES = {errno.EPIPE: -9, errno.ENODEV: -4, errno.EBUSY: -6, errno.ETIMEDOUT: -7}
"""Errors as pyusb's back end of libusb tells them."""
IDLE_SECONDS = 0.0003
"""How long it is waited for a model that has nothing to send."""


class Handle:
    """A device that a program has opened."""

    def __init__(self, model: UsbModel) -> None:
        self.model = model


class PyusbBackend(IBackend):
    """A back end of pyusb with these models plugged in.

    Errors are `usb.core.USBError`, with the numbers that libusb has for them. A model that one
    handle has claimed is busy for others.
    """

    def __init__(self, *models: UsbModel) -> None:
        self._models: list[UsbModel] = list(models)
        self._claimed: dict[UsbModel, Handle] = {}
        self._lock = threading.Lock()

    def plug(self, model: UsbModel, /) -> None:
        """Plug a model in."""
        self._models.append(model)

    def unplug(self, model: UsbModel, /) -> None:
        """Pull a model out: whatever is asked of it fails, and what waits too."""
        self._models.remove(model)
        self._claimed.pop(model, None)

    def enumerate_devices(self) -> Iterator[UsbModel]:
        """Return what is plugged in."""
        return iter(tuple(self._models))

    def get_parent(self, dev: UsbModel) -> None:
        """Return nothing: there are no hubs."""

    def get_device_descriptor(self, dev: UsbModel) -> SimpleNamespace:
        """Return what a device is, and where."""
        place = self._models.index(dev) + 1
        at = {"address": place + 1, "bus": 1, "port_number": place, "port_numbers": (place,)}
        return _named(DEVICE, dev.device_descriptor, **at, speed=SUPER_SPEED)

    def get_configuration_descriptor(self, dev: UsbModel, config: int) -> SimpleNamespace:
        """Return the only configuration."""
        _check_only(config)
        return _named(CONFIGURATION, dev.configuration_descriptor, extra_descriptors=[])

    def get_interface_descriptor(
        self, dev: UsbModel, intf: int, alt: int, config: int
    ) -> SimpleNamespace:
        """Return the only interface."""
        _check_only(intf, alt, config)
        return _named(INTERFACE, dev.configuration_descriptor[9:], extra_descriptors=[])

    def get_endpoint_descriptor(
        self, dev: UsbModel, ep: int, intf: int, alt: int, config: int
    ) -> SimpleNamespace:
        """Return an endpoint, by its place."""
        _check_only(intf, alt, config)
        at = FIRST_ENDPOINT + ep * (ENDPOINT_BYTES + COMPANION_BYTES)
        more = dev.configuration_descriptor[at + ENDPOINT_BYTES :][:COMPANION_BYTES]
        rest = {"bRefresh": 0, "bSynchAddress": 0, "extra_descriptors": list(more)}
        return _named(ENDPOINT, dev.configuration_descriptor[at:], **rest)

    def open_device(self, dev: UsbModel) -> Handle:
        """Open a device."""
        self._check_there(dev)
        return Handle(dev)

    def close_device(self, dev_handle: Handle) -> None:
        """Close a device."""
        self.release_interface(dev_handle, 0)

    def set_configuration(self, dev_handle: Handle, config_value: int) -> None:
        """Do nothing: there is one configuration."""

    def get_configuration(self, dev_handle: Handle) -> int:
        """Return the number of the only configuration."""
        return 1

    def set_interface_altsetting(self, dev_handle: Handle, intf: int, altsetting: int) -> None:
        """Do nothing: there is one setting."""

    def claim_interface(self, dev_handle: Handle, intf: int) -> None:
        """Have the device for this handle."""
        self._check_there(dev_handle.model)
        if self._claimed.setdefault(dev_handle.model, dev_handle) is not dev_handle:
            _fail(errno.EBUSY)

    def release_interface(self, dev_handle: Handle, intf: int) -> None:
        """Let others have it."""
        if self._claimed.get(dev_handle.model) is dev_handle:
            del self._claimed[dev_handle.model]

    def clear_halt(self, dev_handle: Handle, ep: int) -> None:
        """Do nothing: what stalls goes on stalling."""

    def reset_device(self, dev_handle: Handle) -> None:
        """Do nothing."""

    def is_kernel_driver_active(self, dev_handle: Handle, intf: int) -> bool:
        """Return that no driver of a kernel has it."""
        return False

    def ctrl_transfer(  # noqa: PLR0913  # as pyusb calls it
        self,
        dev_handle: Handle,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: array[int],
        timeout: int,
    ) -> int:
        """Make a control request; return how many bytes were moved."""
        setup = Setup(bmRequestType, bRequest, wValue, wIndex, len(data) * data.itemsize)
        inward = bmRequestType & IN
        try:
            with self._lock:
                self._check_there(dev_handle.model)
                answer = dev_handle.model.control(setup, b"" if inward else data.tobytes())
        except Stall:
            _fail(errno.EPIPE)
        except Silence:
            self._wait_in_vain(dev_handle.model, timeout)
        return _filled(data, answer) if inward else setup.length

    def bulk_read(
        self, dev_handle: Handle, ep: int, intf: int, buff: array[int], timeout: int
    ) -> int:
        """Read what comes next at an endpoint; return how many bytes."""
        deadline = _deadline(timeout)
        while True:
            try:
                with self._lock:
                    self._check_there(dev_handle.model)
                    data = dev_handle.model.send(ep, len(buff) * buff.itemsize)
            except Stall:
                _fail(errno.EPIPE)
            if data is not None:
                return _filled(buff, data)
            if time.monotonic() > deadline:
                _fail(errno.ETIMEDOUT)
            time.sleep(IDLE_SECONDS)

    def bulk_write(
        self, dev_handle: Handle, ep: int, intf: int, data: array[int], timeout: int
    ) -> int:
        """Send bytes to an endpoint; return how many."""
        try:
            with self._lock:
                self._check_there(dev_handle.model)
                dev_handle.model.receive(ep, data.tobytes())
        except Stall:
            _fail(errno.EPIPE)
        except Silence:
            self._wait_in_vain(dev_handle.model, timeout)
        return len(data) * data.itemsize

    def intr_read(
        self, dev_handle: Handle, ep: int, intf: int, buff: array[int], timeout: int
    ) -> int:
        """Read what comes next at an endpoint; return how many bytes."""
        return self.bulk_read(dev_handle, ep, intf, buff, timeout)

    def _check_there(self, model: UsbModel) -> None:
        if model not in self._models:
            _fail(errno.ENODEV)

    def _wait_in_vain(self, model: UsbModel, timeout: int) -> NoReturn:
        deadline = _deadline(timeout)
        while time.monotonic() <= deadline:
            self._check_there(model)
            time.sleep(IDLE_SECONDS)
        _fail(errno.ETIMEDOUT)


def _named(names: str, descriptor: bytes, **more: object) -> SimpleNamespace:
    """Return a descriptor as pyusb wants it: with a name for each value."""
    values = struct.unpack_from(LAYOUTS[names], descriptor)
    return SimpleNamespace(**dict(zip(names.split(), values, strict=True)), **more)


def _check_only(*indices: int) -> None:
    """Raise `IndexError`, by which pyusb knows the end, for any but the first."""
    if any(indices):
        raise IndexError


def _filled(memory: array[int], data: bytes) -> int:
    length = min(len(data), len(memory) * memory.itemsize)
    memoryview(memory).cast("B")[:length] = data[:length]
    return length


def _deadline(milliseconds: int) -> float:
    """Return when a time-out is over: never for 0, as in libusb."""
    return time.monotonic() + milliseconds / 1000 if milliseconds else math.inf


def _fail(number: int) -> NoReturn:
    kind = usb.core.USBTimeoutError if number == errno.ETIMEDOUT else usb.core.USBError
    raise kind(os.strerror(number), LIBUSB_CODES[number], number)
