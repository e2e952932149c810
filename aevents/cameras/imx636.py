"""The sensor IMX636 of Prophesee and Sony, by its registers.

What is written, in what order and with what pauses, is what OpenEB's and neuromorphic-drivers'
drivers of an EVK4 were seen to write; what they differ in is as OpenEB has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Protocol

import msgspec

from aevents.cameras.settings import check_roi, parsed
from aevents.errors import DeviceError

WIDTH, HEIGHT = 1280, 720
ELSEWHERE = "Metavision HAL serves others: metavision:"
CHIP, CHIP_IS, KIND = 0x14, 0xA0401806, 0xF128
"""Where it says what it is: of the same kind are others, whose bits 0 and 1 there are not 0."""

Writes = tuple[tuple[int, int], ...]


def _writes(text: str) -> Writes:
    pairs = (pair.split("=") for pair in text.split())
    return tuple((int(register, 16), int(value, 16)) for register, value in pairs)


STOP = _writes("4=f0005042 2c=22c324 9028=2 9008=644 b000=2f8")
OFF = _writes(
    "70=400008 6c=ee47114 a00c=20400 a010=8068 1104=0 a020=50 a004=b0500 a008=2404 a000=b0500 "
    "b044=0 b004=a b040=e b0c8=0 b040=6 b040=4 0=4f006442 0=f006442 b8=401 b8=400 b07c=0"
)
RESET = tuple(zip(_writes("1c=1 400004=1 400004=0 b000=158"), (0.0, 1.0, 0.5, 1.0), strict=True))
"""And how long to wait after each, in seconds."""
ON = _writes(
    "b044=0 b004=a b040=0 b0c8=0 b040=0 b040=0 0=4f006442 0=f006442 b8=400 b8=400 b07c=0 b074=2 "
    "b078=a0 c0=110 c0=210 b120=1 e120=0 b068=4 b07c=1 b07c=3 b8=401 b8=409 0=4f006442 0=4f00644a "
    "b080=77 b084=f b088=37 b08c=37 b090=df b094=57 b098=37 b09c=67 b0a0=37 b0a4=2f b0ac=28 b0cc=1 "
    "b000=2f8 b004=8a b01c=30 b020=2000 b02c=ff b030=3e80 b028=fa0 a000=b0501 a008=2405 a004=b0501 "
    "a020=150 b040=7 b064=6 b040=f b004=8a b0c8=3 b044=1 b000=2f9 7008=1 7000=70001 8000=1e085 "
    "9008=644 4=f0005042 18=200 1014=11a1504d 9004=0 9000=200"
)
START = _writes("b000=2f9 9028=0 9008=645 2c=22c724 4=f0005442")

BIASES: Mapping[str, int] = {
    "bias_fo": 0x1004, "bias_hpf": 0x100C, "bias_diff_on": 0x1010, "bias_diff": 0x1014,
    "bias_diff_off": 0x1018, "bias_refr": 0x1020,
}  # fmt: skip
"""Their registers, by the names that they have in Prophesee's software."""
BIAS_USED, BIAS_KEPT, BIAS_BITS = 0x11A10000, 0xFF00, 0xFF
RATE_RUN, RATE_FILTER, RATE_PERIOD, RATE_EVENTS, RATE_ON = 0x6000, 0x6004, 0x6008, 0x600C, 0x6028
RATE_TABLES, RATE_DROPS, RATE_ORDER = 0x602C, (0x6800, 230, 0x08080808), (0x6400, 256)
RATE_REST = (0x6050, 0x6060, 0x6070)
PERIOD_US, EVENTS_BITS = 200, 22
USUAL_RATE = 50_000_000
"""Events/s, in every period."""
EDGES, EDGES_BIT = 0x7004, 1 << 10
COLUMNS_OFF, ROWS_OFF = (0x2000, 40), (0x4000, 23)
"""Masks, and of how many registers: a pixel is off whose column or row has its bit."""
REGION, REGION_TAKEN = 0x4, 0xF0005062
"""The masks are taken over when this is written."""
LAST_ROW = HEIGHT - 1
"""The rows are counted from there."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a camera; what is not said is as Prophesee's software has it.

    `biases` are by name, relative to the camera's own, as in that software; `roi` is left, top,
    width and height of the only pixels to send events; `event_rate` is how many events a second may
    come at most: of more, the sensor drops some. `triggers` come if they are asked for, unless this
    says otherwise. `transfers` of `transfer_bytes` are asked of USB at once.
    """

    biases: Mapping[str, int] = {}
    roi: tuple[int, int, int, int] | None = None
    event_rate: Annotated[int, msgspec.Meta(ge=5_000, le=20_000_000_000)] = USUAL_RATE
    triggers: bool | None = None
    transfer_bytes: Annotated[int, msgspec.Meta(ge=1024, le=1 << 22, multiple_of=1024)] = 1 << 17
    transfers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 32


def settings_of(options: Mapping[str, object], /) -> Settings:
    """Return options, which may be text as in a URL, as settings. Raises `ValueError`.

    >>> settings_of({"biases": "bias_fo:-3", "roi": "10,20,100x80"}).roi
    (10, 20, 100, 80)
    """
    settings = parsed(options, Settings)
    for name in settings.biases:
        if name not in BIASES:
            raise ValueError(f"usb: there is no bias {name!r}; known: {', '.join(BIASES)}")
    if settings.roi:
        check_roi(settings.roi, WIDTH, HEIGHT)
    return settings


class Registers(Protocol):
    """The registers of a board's devices."""

    def read(self, device: int, register: int, /) -> int:
        """Return the value of a register. Raises `DeviceError`."""

    def write(self, device: int, register: int, value: int, /) -> None:
        """Set a register. Raises `DeviceError`."""


class Imx636:
    """The sensor, which is the device of this number on a board. Everything blocks.

    Raises `DeviceError` if it is another.
    """

    def __init__(self, board: Registers, device: int, /) -> None:
        self._board, self._device = board, device
        if self._read(CHIP) != CHIP_IS or self._read(KIND) & 3:
            raise DeviceError(f"its sensor is no IMX636; {ELSEWHERE}")

    def begin(self) -> None:
        """Switch it off and on: it takes 3 s."""
        self.end()
        for (register, value), seconds in RESET:
            self._write(register, value)
            time.sleep(seconds)
        self._write_all(ON)

    def configure(self, settings: Settings, *, edges: bool) -> None:
        """Set what is to be set before it starts. Raises `ValueError` for a bias out of range."""
        self._limit(settings.event_rate)
        for name, value in settings.biases.items():
            self._set_bias(name, value)
        for register, value in _masks(settings.roi or (0, 0, WIDTH, HEIGHT)):
            self._write(register, value)
        if settings.roi:
            self._write(REGION, REGION_TAKEN)
        others = self._read(EDGES) & ~EDGES_BIT
        self._write(EDGES, others | EDGES_BIT * edges)

    def start(self) -> None:
        """Let events come."""
        self._write_all(START)

    def end(self) -> None:
        """Let no events come, and switch it off."""
        self._write_all(STOP)
        self._write_all(OFF)

    def _limit(self, rate: int) -> None:
        others = self._read(RATE_RUN) & ~1
        events = min(rate * PERIOD_US // 1_000_000, (1 << EVENTS_BITS) - 1)
        self._write_all((
            (RATE_RUN, others), (RATE_FILTER, 1), (RATE_PERIOD, PERIOD_US), (RATE_EVENTS, events),
            (RATE_ON, 3), (RATE_TABLES, 1),
        ))  # fmt: skip
        first, count, drops = RATE_DROPS
        self._write_all(tuple((first + 4 * index, drops) for index in range(count)))
        self._write(RATE_TABLES, 0)
        first, count = RATE_ORDER
        for index in range(count):
            self._write(first + 4 * index, (2 * index + 1) << 16 | 2 * index)
        self._write_all(tuple((register, 0) for register in RATE_REST))
        self._write(RATE_RUN, others | 1)

    def _set_bias(self, name: str, value: int) -> None:
        old = self._read(BIASES[name])
        own = old & BIAS_BITS
        if not 0 <= own + value <= BIAS_BITS:
            raise ValueError(f"{name} is from {-own} to {BIAS_BITS - own} here, not {value}")
        self._write(BIASES[name], BIAS_USED | old & BIAS_KEPT | own + value)

    def _read(self, register: int) -> int:
        return self._board.read(self._device, register)

    def _write(self, register: int, value: int) -> None:
        self._board.write(self._device, register, value)

    def _write_all(self, writes: Writes) -> None:
        for register, value in writes:
            self._write(register, value)


def _masks(roi: tuple[int, int, int, int]) -> Iterator[tuple[int, int]]:
    """Yield the registers of the masks that leave a region on."""
    left, top, width, height = roi
    columns = (1 << WIDTH) - 1 & ~(((1 << width) - 1) << left)
    bottom = LAST_ROW - (top + height - 1)
    rows = (1 << HEIGHT) - 1 & ~(((1 << height) - 1) << bottom)
    for (first, count), bits in ((COLUMNS_OFF, columns), (ROWS_OFF, rows)):
        for index in range(count):
            yield first + 4 * index, bits >> 32 * index & 0xFFFFFFFF
