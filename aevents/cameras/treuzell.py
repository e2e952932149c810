"""Treuzell, by which Prophesee's boards are spoken to: properties, and registers of their devices.

A message is the number of a property, of 32 bits, the size of what follows, and that; it goes out
by one endpoint, and the answer comes in by another. The bits of the number say that something is
written (30) or has failed (31). As the drivers of OpenEB and neuromorphic-drivers speak it.
"""

from __future__ import annotations

import struct
from typing import Protocol

from aevents.errors import DeviceError

SERIAL, VERSION, DEVICES, NAMES, REGISTERS = 0x72, 0x79, 0x10000, 0x10003, 0x10102
WRITES, FAILED = 1 << 30, 1 << 31
LONGEST = 1024
HEAD = struct.Struct("<II")


class Endpoints(Protocol):
    """What messages go through."""

    def write(self, endpoint: int, data: bytes, /) -> None:
        """Send bytes. Raises `DeviceError`."""

    def read(self, endpoint: int, most: int, /) -> bytes:
        """Return the bytes that come. Raises `DeviceError`."""


class Treuzell:
    """A board. Raises `DeviceError` when it refuses something, or answers what was not asked."""

    def __init__(self, usb: Endpoints, answers: int, questions: int, /) -> None:
        self._usb = usb
        self._answers, self._questions = answers, questions

    @property
    def serial(self) -> str:
        """Its serial number, as Prophesee's software shows it."""
        return f"{int.from_bytes(self._ask(SERIAL)[:8], 'little'):08x}"

    @property
    def version(self) -> int:
        """The version of its firmware, of which the lowest three bytes count."""
        return int.from_bytes(self._ask(VERSION)[:4], "little")

    def devices(self) -> list[list[str]]:
        """Return of each device what it is compatible with."""
        count = int.from_bytes(self._ask(DEVICES)[:4], "little")
        each = (self._ask(NAMES, struct.pack("<I", device))[4:] for device in range(count))
        return [[name for name in text.decode("latin-1").split("\0") if name] for text in each]

    def read(self, device: int, register: int, /) -> int:
        """Return the value of a register."""
        asked = struct.pack("<III", device, register, 1)
        answer = self._ask(REGISTERS, asked)
        if len(answer) < 12 or answer[:8] != asked[:8]:
            raise DeviceError(f"register {register:#x}: it answers something else")
        return int.from_bytes(answer[8:12], "little")

    def write(self, device: int, register: int, value: int, /) -> None:
        """Set a register."""
        self._ask(REGISTERS | WRITES, struct.pack("<III", device, register, value))

    def _ask(self, property: int, content: bytes = b"") -> bytes:
        self._usb.write(self._questions, HEAD.pack(property, len(content)) + content)
        answer = self._usb.read(self._answers, LONGEST)
        if len(answer) < HEAD.size:
            raise DeviceError(f"property {property:#x}: it answers {len(answer)} bytes")
        number, size = HEAD.unpack_from(answer)
        if number & FAILED:
            raise DeviceError(f"property {property:#x}: it refuses")
        if number != property or size != len(answer) - HEAD.size:
            raise DeviceError(f"property {property:#x}: it answers something else")
        return answer[HEAD.size :]
