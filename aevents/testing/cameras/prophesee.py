"""Models of Prophesee's EVK4 and EVK3 HD, as their drivers see them.

The host sends messages of Treuzell to endpoint 0x02 and takes the answers from 0x82; the camera
sends words of EVT3 from 0x81. Biases and regions are kept, and change nothing.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing.cameras.player import Chunk, Player, timed
from aevents.testing.cameras.usb import BULK, IN, Endpoint, Fault, Setup, Stall, UsbModel
from aevents.types import EventBatch, Sensor, TriggerBatch

ANSWERS, QUESTIONS, DATA = 0x82, 0x02, 0x81
SERIAL, VERSION, BUILT, DEVICES, NAME, COMPATIBLE, REGISTERS = (
    0x72, 0x79, 0x7A, 0x10000, 0x10001, 0x10003, 0x10102,
)  # fmt: skip
WRITES, FAILED = 1 << 30, 1 << 31
OLD_WRITE, OLD_MESSAGE = 0x56, struct.Struct("<III")
"""A register and its value: what neuromorphic-drivers writes an EVK3's registers by."""
RUNNING = ((0xB000, 1), (0x9008, 1), (0x4, 1 << 10))
"""Registers, and the bits in them that must be set for events to come."""
EDGES, EDGES_BIT = 0x7004, 1 << 10
TIME_HIGH, HIGH_BITS = 0x8000, 12
IDLE_US = 1 << HIGH_BITS
"""How often a camera that sees nothing says that time goes on."""


class EVK4(UsbModel):
    """An EVK4, 1280x720: it plays `scene`, events and edges in the order of time, when the host has
    started it; again each time. At the end it tells only the time.

    It does so at the pace of the items' times, or as fast as the host asks if not `realtime`.
    `serial` is of hexadecimal digits; `firmware` is its version, a byte for each part;
    `compatible` says which sensor it has; `fault` is what it does wrong.
    """

    vendor: int = 0x04B4
    product: int = 0x00F5
    version: int = 0x0309
    subclass: int = 0x19
    names: Sequence[str] = ("Prophesee", "EVK4")
    endpoints: Sequence[Endpoint] = tuple(
        Endpoint(address, BULK, 1024) for address in (ANSWERS, QUESTIONS, DATA)
    )
    stream: int = DATA
    board: int = 0x31
    about: Mapping[int, int] = MappingProxyType({
        0x14: 0xA0401806, 0x1004: 0x5053, 0x100C: 0x5000, 0x1010: 0x5066, 0x1018: 0x5049,
        0x1020: 0x5014, 0x6000: 0x00155400, 0x7004: 0xC1FF,
    })  # fmt: skip

    def __init__(
        self,
        scene: Iterable[EventBatch | TriggerBatch] = (),
        *,
        serial: str = "00050042",
        firmware: int = 0x030A00,
        compatible: str = "psee,ccam5_imx636",
        realtime: bool = True,
        fault: Fault | None = None,
    ) -> None:
        super().__init__(serial, fault)
        self.registers: dict[tuple[int, int], int] = {
            (0, at): value for at, value in self.about.items()
        }
        self._firmware = firmware
        self._compatible = compatible
        self._scene = scene
        self._realtime = realtime
        self._answers: deque[bytes] = deque()
        self._player = Player()

    @property
    def running(self) -> bool:
        """Whether all is switched on that is needed for events to come."""
        return all(self._register(at) & bit for at, bit in RUNNING)

    def vendor_request(self, setup: Setup, data: bytes) -> bytes:
        """Answer the only request that drivers make."""
        if setup.type & IN and setup.request == SERIAL:
            return struct.pack("<H", self.board)
        raise Stall

    def hear(self, endpoint: int, data: bytes) -> None:
        """Take a message, and have its answer ready. Raises `Stall`."""
        if endpoint != QUESTIONS:
            raise Stall
        property, size = struct.unpack_from("<II", data)
        answer = self._answer(property, data[8 : 8 + size])
        if answer is None:
            property, answer = property | FAILED, b""
        self._answers.append(struct.pack("<II", property, len(answer)) + answer)

    def say(self, endpoint: int, most: int) -> bytes | None:
        """Return an answer, or words that are due."""
        if endpoint == ANSWERS:
            return self._answers.popleft()[:most] if self._answers else None
        return self._player.take(most & ~1) if endpoint == DATA else None

    def _answer(self, property: int, content: bytes) -> bytes | None:
        about = {
            SERIAL: struct.pack("<Q", int(self.serial, 16)),
            VERSION: struct.pack("<I", self._firmware),
            BUILT: struct.pack("<Q", 1_700_000_000),
            DEVICES: struct.pack("<I", 1),
            NAME: content[:4] + b"IMX636\0",
            COMPATIBLE: content[:4] + self._compatible.encode() + b"\0",
        }
        if property == REGISTERS:
            _, at, count = struct.unpack_from("<III", content)
            values = [self._register(at + 4 * index) for index in range(count)]
            return content[:8] + struct.pack(f"<{count}I", *values)
        if property == REGISTERS | WRITES:
            device, at, *values = struct.unpack(f"<{len(content) // 4}I", content)
            for index, value in enumerate(values):
                self._write(device, at + 4 * index, value)
            return content[:8]
        return about.get(property)

    def _register(self, at: int) -> int:
        return self.registers.get((0, at), 0)

    def _write(self, device: int, at: int, value: int) -> None:
        was = self.running
        self.registers[device, at] = value
        if self.running and not was:
            self._player.play(self._chunks())
        elif not self.running:
            self._player.stop()

    def _chunks(self) -> Iterator[Chunk]:
        """Yield what is said, and when; for ever."""
        encoder, time, due = Evt3Encoder(), 0, 0
        for _ in encoder.feed(EventBatch.empty(Sensor(1280, 720))):
            pass  # the header of a file, which a camera does not send
        edges = bool(self._register(EDGES) & EDGES_BIT)
        scene = [item for item in self._scene if edges or not isinstance(item, TriggerBatch)]
        said = timed(scene, lambda item: b"".join(encoder.feed(item)), realtime=self._realtime)
        for due, data in said:
            yield due, data
        yield due, b"".join(map(bytes, encoder.flush()))
        if not self._realtime:
            due = self._player.now
        time = max((item.span.stop for item in scene), default=0)
        while True:
            time, due = time + IDLE_US, due + IDLE_US
            yield due, struct.pack("<H", TIME_HIGH | time >> HIGH_BITS & 0xFFF)


class EVK3(EVK4):
    """An EVK3 HD with the sensor of an EVK4, and otherwise as that."""

    product: int = 0x00F4
    names: Sequence[str] = ("Prophesee", "EVK3")
    board: int = 0x30

    def hear(self, endpoint: int, data: bytes) -> None:
        """Take a message, of either way to write a register. Raises `Stall`."""
        if endpoint != QUESTIONS or data[:4] != struct.pack("<I", OLD_WRITE):
            super().hear(endpoint, data)
            return
        _, at, value = OLD_MESSAGE.unpack(data)
        self._write(0, at, value)
        self._answers.append(data)
