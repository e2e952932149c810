"""Models of iniVation's DVXplorer and DAVIS346, as libcaer sees them.

The host writes and reads parameters of modules by control requests: 0xBF one, 0xC2 several; the
camera sends words (`words.py`) from endpoint 0x82. Biases and regions are kept, and change nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from aevents.testing.cameras.player import Chunk, Player, timed
from aevents.testing.cameras.usb import BULK, IN, INTERRUPT, Endpoint, Fault, Setup, Stall, UsbModel
from aevents.testing.cameras.words import DavisWording, DvxWording, Said, Wording
from aevents.types import Frame, ImuBatch, TriggerBatch

ONE, SEVERAL = 0xBF, 0xC2
EVENTS, DEBUG = 0x82, 0x81
MUX_RUN, CLOCK_RUN, USB_RUN, DVS_RUN = (0, 0), (0, 1), (9, 0), (1, 3)
IMU_RUN, FRAMES_RUN = (3, 2), (2, 4)
EDGES = ((4, 1), (4, 2))
LOGIC = 18
IDLE_US = 1 << 15
"""How often a camera that sees nothing says that time goes on."""


class InivationModel(UsbModel):
    """A camera that plays `scene`, items in the order of time, when the host has started it, and
    has then left it in peace for `settle_s`; again each time. At the end it tells only the time.

    It does so at the pace of the items' times, or as fast as the host asks if not `realtime`.
    `serial` is at most 8 characters; `version` is that of its firmware; `fault` is what it does
    wrong.
    """

    vendor: int = 0x152A
    endpoints: Sequence[Endpoint] = (Endpoint(DEBUG, INTERRUPT, 64), Endpoint(EVENTS, BULK, 1024))
    stream: int = EVENTS
    usual: tuple[str, int] = ("", 0)
    settle_s: float = 0.2  # hosts switch on one thing after the other
    wording: Callable[[], Wording] = Wording
    about: Mapping[tuple[int, int], int] = MappingProxyType({})

    def __init__(
        self,
        scene: Iterable[Said] = (),
        *,
        serial: str | None = None,
        version: int | None = None,
        realtime: bool = True,
        fault: Fault | None = None,
    ) -> None:
        super().__init__(self.usual[0] if serial is None else serial, fault)
        self.version: int = self.usual[1] if version is None else version
        self.registers: dict[tuple[int, int], int] = dict(self.about)
        self._scene = scene
        self._realtime = realtime
        self._player = Player()

    @property
    def running(self) -> bool:
        """Whether all is switched on that is needed for events to come."""
        return all(map(self.registers.get, (MUX_RUN, CLOCK_RUN, USB_RUN, DVS_RUN)))

    def vendor_request(self, setup: Setup, data: bytes) -> bytes:
        """Write or read parameters."""
        if setup.request == ONE and setup.type & IN:
            return struct.pack(">I", self.registers.get((setup.value, setup.at), 0))
        if setup.request == ONE:
            self._write(setup.value, setup.at, int.from_bytes(data, "big"))
        elif setup.request == SEVERAL:
            for module, parameter, value in struct.iter_unpack(">BBI", data):
                self._write(module, parameter, value)
        else:
            raise Stall
        return b""

    def say(self, endpoint: int, most: int) -> bytes | None:
        """Return words that are due."""
        return self._player.take(most & ~1) if endpoint == EVENTS else None

    def _write(self, module: int, parameter: int, value: int) -> None:
        self.registers[module, parameter] = value
        if not self.running:
            self._player.stop()
        elif not self._player.begun:
            self._player.play(self._chunks(), self.settle_s)

    def _chunks(self) -> Iterator[Chunk]:
        """Yield what is said, and when; for ever."""
        wording, due = self.wording(), 0
        scene = filter(self._is_on, self._scene)
        for due, data in timed(
            scene, lambda item: wording.feed(item).tobytes(), realtime=self._realtime
        ):
            yield due, data
        if not self._realtime:
            due = self._player.now
        while True:
            yield due, wording.idle(1).tobytes()
            due += IDLE_US

    def _is_on(self, item: Said) -> bool:
        on = self.registers.get
        if isinstance(item, ImuBatch):
            return bool(on(IMU_RUN))
        if isinstance(item, Frame):
            return bool(on(FRAMES_RUN))
        return not isinstance(item, TriggerBatch) or any(map(on, EDGES))


class DVXplorer(InivationModel):
    """A DVXplorer, 640x480: events, edges and measurements."""

    product: int = 0x8419
    names: Sequence[str] = ("iniVation", "DVXplorer")
    usual: tuple[str, int] = ("DXA00042", 8)
    wording: Callable[[], Wording] = DvxWording
    about: Mapping[tuple[int, int], int] = MappingProxyType({
        (6, 0): LOGIC, (6, 1): 20, (6, 2): 1, (6, 3): 104, (6, 5): 80, (6, 6): 1000, (6, 7): 4,
        (1, 0): 640, (1, 1): 480, (3, 0): 3, (0, 80): 1, (1, 80): 1, (4, 10): 1,
    })  # fmt: skip


class DAVIS346(InivationModel):
    """A DAVIS346, 346x260: events, edges, measurements and frames of 16 bits, of which the upper
    10 count.
    """

    product: int = 0x841A
    names: Sequence[str] = ("iniVation", "DAVIS FX3")
    usual: tuple[str, int] = ("00000346", 6)
    wording: Callable[[], Wording] = DavisWording
    about: Mapping[tuple[int, int], int] = MappingProxyType({
        (6, 0): LOGIC, (6, 1): 5, (6, 2): 1, (6, 3): 104, (6, 4): 30, (6, 5): 80, (6, 6): 1000,
        (6, 7): 1, (1, 0): 346, (1, 1): 260, (1, 10): 1, (1, 30): 1, (1, 40): 1, (1, 50): 1,
        (1, 60): 1, (2, 0): 346, (2, 1): 260, (2, 6): 1, (3, 0): 1,
    })  # fmt: skip
