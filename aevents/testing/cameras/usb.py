"""A USB device as a model: its descriptors, and what it answers. How requests reach it is the
business of transports: nothing here is of an operating system, or of a library.

Layouts are those of the USB specification, chapter 9.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Literal, NamedTuple

IN = 0x80
"""The bit of an address, or of a request, that says: towards the host."""
BULK, INTERRUPT = 2, 3
DEVICE, CONFIGURATION, STRING = 1, 2, 3
"""Types of descriptors."""
GET_STATUS, GET_DESCRIPTOR, GET_CONFIGURATION = 0, 6, 8
ENGLISH = 0x0409


class Stall(Exception):
    """The device refuses a request."""


class Silence(Exception):
    """The device does not answer a request, and never will."""


class Fault(NamedTuple):
    """What a device does wrong, and from when on: it `refuses` or `ignores` requests, from the
    `at`th on, or its stream `halts` or `hushes`, which is to stall or be silent, after `at` bytes.
    """

    kind: Literal["refuses", "ignores", "halts", "hushes"]
    at: int


class Setup(NamedTuple):
    """What a control request begins with; `at` is what the specification calls index."""

    type: int
    request: int
    value: int
    at: int
    length: int


class Endpoint(NamedTuple):
    """An endpoint: its address, its type, and how many bytes go at once."""

    address: int
    type: int
    size: int


class UsbModel:
    """A device with one interface; a model of a camera says how it answers vendors' requests and
    messages, and what comes from its endpoints, of which `stream` is that of the data.
    """

    vendor: int = 0
    product: int = 0
    version: int = 0
    subclass: int = 0
    names: Sequence[str] = ("", "")
    endpoints: Sequence[Endpoint] = ()
    stream: int = 0

    def __init__(self, serial: str, fault: Fault | None = None) -> None:
        self.serial = serial
        self._fault = fault
        self._requests = self._streamed = 0

    @property
    def device_descriptor(self) -> bytes:
        """The 18 bytes that say what the device is."""
        return struct.pack(
            "<BBHBBBBHHHBBBB", 18, DEVICE, 0x0300, 0xFF, 0, 0, 9,
            self.vendor, self.product, self.version, 1, 2, 3, 1,
        )  # fmt: skip

    @property
    def configuration_descriptor(self) -> bytes:
        """Its only configuration, with the interface and the endpoints."""
        body = struct.pack("<9B", 9, 4, 0, 0, len(self.endpoints), 0xFF, self.subclass, 0, 0)
        for address, type, size in self.endpoints:
            body += struct.pack("<BBBBHB", 7, 5, address, type, size, int(type == INTERRUPT))
            body += struct.pack("<BBBBH", 6, 0x30, 15 if type == BULK else 0, 0, 0)
        return struct.pack("<BBHBBBBB", 9, CONFIGURATION, 9 + len(body), 1, 1, 0, 0x80, 100) + body

    def control(self, setup: Setup, data: bytes) -> bytes:
        """Answer a control request: with bytes where it asks for some.

        Raises `Stall` and `Silence`.
        """
        if setup.type & 0x60:
            self._count_request()
            return self.vendor_request(setup, data)
        if setup.request == GET_DESCRIPTOR and setup.type & IN:
            return self._descriptor(setup.value >> 8, setup.value & 0xFF)
        if setup.request == GET_CONFIGURATION:
            return b"\x01"
        return bytes(2) if setup.request == GET_STATUS else b""

    def send(self, endpoint: int, most: int) -> bytes | None:
        """Return up to `most` bytes for the host; None if there are none yet. Raises `Stall`."""
        if endpoint != self.stream:
            return self.say(endpoint, most)
        if self._fault is not None and self._fault.kind in ("halts", "hushes"):
            most = min(most, self._fault.at - self._streamed)
            if not most and self._fault.kind == "halts":
                raise Stall
        data = self.say(endpoint, most) if most else None
        self._streamed += len(data or b"")
        return data

    def receive(self, endpoint: int, data: bytes) -> None:
        """Take bytes of the host. Raises `Stall` and `Silence`."""
        self._count_request()
        self.hear(endpoint, data)

    def vendor_request(self, setup: Setup, data: bytes) -> bytes:
        """Answer a request that is the vendor's own. Raises `Stall`."""
        raise Stall

    def say(self, endpoint: int, most: int) -> bytes | None:
        """Return up to `most` bytes that are due at an endpoint; None if there are none."""
        return None

    def hear(self, endpoint: int, data: bytes) -> None:
        """Take bytes that come to an endpoint. Raises `Stall`."""
        raise Stall

    def _count_request(self) -> None:
        self._requests += 1
        kind, at = self._fault or ("", 0)
        if kind in ("refuses", "ignores") and self._requests >= at:
            raise Stall if kind == "refuses" else Silence

    def _descriptor(self, type: int, index: int) -> bytes:
        if type == DEVICE:
            return self.device_descriptor
        if type == CONFIGURATION:
            return self.configuration_descriptor
        if type != STRING or index > 3:
            raise Stall
        text = ("", *self.names, self.serial)[index].encode("utf-16-le")
        body = text if index else struct.pack("<H", ENGLISH)
        return struct.pack("<BB", 2 + len(body), STRING) + body
