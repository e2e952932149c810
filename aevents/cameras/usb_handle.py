"""A USB device that is open, by libusb, with the interface of a vendor claimed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from aevents.cameras.libusb import (
    TIMEOUT,
    UsbDevice,
    check,
    context,
    ffi,
    library,
    listed,
    place,
    problem,
)
from aevents.errors import DeviceError

CONTROL_MS = 2_000
"""How long a device may take to answer."""
GET_DESCRIPTOR, CONFIGURATION = 6, 2 << 8
INTERFACE, ENDPOINT = 4, 5
LONGEST_CONFIGURATION, LONGEST_ANSWER = 1024, 64


class Interface(NamedTuple):
    """An interface: its number, and the addresses of its endpoints, in order."""

    number: int
    endpoints: tuple[int, ...]


class UsbHandle:
    """An open device, whose interface of this class and subclass is claimed. Everything blocks.

    Raises `DeviceError` when it cannot be opened, has no such interface, or refuses something.
    """

    def __init__(self, device: UsbDevice, kind: tuple[int, int], /) -> None:
        self.usb: Any = library()
        with ExitStack() as undoing:
            self.context: object = undoing.enter_context(context(self.usb))
            self.pointer: object = undoing.enter_context(_opened(self.usb, self.context, device))
            self.interface: Interface = self._interface(kind)
            number = self.interface.number
            self._check(
                self.usb.libusb_claim_interface(self.pointer, number), "it is not to be had"
            )
            undoing.callback(self.usb.libusb_release_interface, self.pointer, number)
            self._undoing = undoing.pop_all()

    def write(self, endpoint: int, data: bytes, /) -> None:
        """Send bytes to an endpoint."""
        self._bulk(endpoint, ffi.from_buffer(data), len(data))

    def read(self, endpoint: int, most: int, /) -> bytes:
        """Return the bytes that come next from an endpoint, at most so many."""
        memory = ffi.new("unsigned char[]", most)
        return bytes(ffi.buffer(memory, self._bulk(endpoint, memory, most)))

    def reset(self, endpoint: int, /) -> None:
        """Let an endpoint begin anew."""
        self._check(self.usb.libusb_clear_halt(self.pointer, endpoint), "it does not begin anew")

    def close(self) -> None:
        """Give the device back."""
        self._undoing.close()

    def _interface(self, kind: tuple[int, int]) -> Interface:
        memory, most = ffi.new("unsigned char[]", LONGEST_CONFIGURATION), LONGEST_CONFIGURATION
        what = (0x80, GET_DESCRIPTOR, CONFIGURATION, 0)
        length = self.usb.libusb_control_transfer(self.pointer, *what, memory, most, CONTROL_MS)
        self._check(length, "it does not say what it is")
        for found, interface in _interfaces(bytes(ffi.buffer(memory, length))):
            if found == kind:
                return interface
        raise DeviceError("it has no interface that is known")

    def _bulk(self, endpoint: int, memory: object, length: int) -> int:
        moved = ffi.new("int *")
        code = self.usb.libusb_bulk_transfer(
            self.pointer, endpoint, memory, length, moved, CONTROL_MS
        )
        self._check(code, f"endpoint {endpoint:#x}")
        return int(moved[0])

    def _check(self, code: int, what: str) -> None:
        check(self.usb, code, what)


def check_answers(device: UsbDevice, question: tuple[int, int, int, int], /) -> None:
    """Raise `DeviceError` if a device is silent when it is asked by control, which it may refuse.

    The question is the type, the request, the value and the index. It blocks.
    """
    usb, memory = library(), ffi.new("unsigned char[]", LONGEST_ANSWER)
    with context(usb) as own, _opened(usb, own, device) as pointer:
        asked = (*question, memory, LONGEST_ANSWER, CONTROL_MS)
        if usb.libusb_control_transfer(pointer, *asked) == TIMEOUT:
            raise DeviceError(problem(usb, TIMEOUT))


@contextmanager
def _opened(usb: Any, context: object, device: UsbDevice) -> Iterator[object]:  # noqa: ANN401
    """Open a device. Raises `DeviceError`."""
    handle = ffi.new("void **")
    with listed(usb, context) as every:
        one = next((one for one in every if place(usb, one) == (device.bus, device.address)), None)
        if one is None:
            raise DeviceError("it is unplugged")
        check(usb, usb.libusb_open(one, handle), "it cannot be opened")
    try:
        yield handle[0]
    finally:
        usb.libusb_close(handle[0])


def _interfaces(descriptor: bytes) -> Iterator[tuple[tuple[int, int], Interface]]:
    """Yield the class and subclass of interfaces, and these, as chapter 9 of the USB specification
    lays them out.
    """
    found: list[tuple[tuple[int, int], Interface]] = []
    at = 0
    while at + 2 <= len(descriptor) and descriptor[at] >= 2:
        length, type = descriptor[at : at + 2]
        body = descriptor[at : at + length]
        if type == INTERFACE and length >= 9:
            number, _, _, *kind = struct.unpack_from("<5B", body, 2)
            found.append(((kind[0], kind[1]), Interface(number, ())))
        elif type == ENDPOINT and length >= 7 and found:
            kind_of, interface = found[-1]
            endpoints = (*interface.endpoints, body[2])
            found[-1] = kind_of, interface._replace(endpoints=endpoints)
        at += length
    yield from found
