"""The values that flow: events in columns, frames, triggers, and the sensor and span they carry.

Times are integers in microseconds. Arrays inside these values are read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._shown import Shown
from aevents._tensors import EventTensors, capsule_of, tensor_of

if TYPE_CHECKING:
    from torch import Tensor
    from typing_extensions import CapsuleType

    from aevents._tensors import Device

us = 1
"""One microsecond: the unit of every time here."""
ms = 1_000
"""One millisecond in µs: `10 * ms`."""
s = 1_000_000
"""One second in µs."""

EVENT_DTYPE = np.dtype([("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "?")], align=True)
"""One event as a structured scalar of 16 bytes, for interchange: `np.asarray(batch)` has it."""

Times = npt.NDArray[np.int64]
Coordinates = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_A = TypeVar("_A", bound=np.generic)
_D = TypeVar("_D", covariant=True)
_I = TypeVar("_I", bound=np.integer)


class Sensor(Shown, msgspec.Struct, frozen=True):
    """The array of pixels that events come from. Width and height of 0 mean: not known."""

    width: int = 0
    height: int = 0
    name: str = ""
    serial: str = ""

    @classmethod
    def parse(cls, text: str, /) -> Self:
        """Return the sensor that `"640x480"` describes. Raises `ValueError` on anything else."""
        width, _, height = text.partition("x")
        if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
            raise ValueError(f"a sensor size is WIDTHxHEIGHT, like 640x480, not {text!r}")
        return cls(int(width), int(height))

    @property
    def sized(self) -> bool:
        """Whether width and height are known."""
        return self.width > 0 and self.height > 0


class Span(NamedTuple):
    """Half-open stretch of event time `[start, stop)` in µs.

    It is also a promise: everything before `stop` has been delivered. A batch cut out of a running
    stream may therefore hold events at `stop` itself, while others of that microsecond are still to
    come.
    """

    start: int
    stop: int

    @property
    def duration_us(self) -> int:
        """Length in µs."""
        return self.stop - self.start


class Event(NamedTuple):
    """One event: time in µs, column, row, and polarity (`True` is ON, brighter)."""

    t: int
    x: int
    y: int
    p: bool


class Damage(msgspec.Struct, frozen=True):
    """A place where an input is not what it was: something was lost there, or mended.

    `what` names it as the counts of a `Report` do; `offset` is its first byte in the input;
    `bytes` is how many of those are lost or were skipped, `events` how many events were lost, left
    out or mended, each 0 where that is not known.
    """

    what: str
    offset: int
    bytes: int = 0
    events: int = 0


class EventBatch(Shown, msgspec.Struct, frozen=True, eq=False, weakref=True):
    """An immutable run of events from one sensor, as four columns of equal length.

    `t` int64 (µs), `x` and `y` uint16 (column from the left, row from the top), `p` bool (`True` is
    ON): 13 bytes an event. `span` is the stretch of time that the batch stands for; it may be wider
    than its events, and a batch may be empty and still move time forward. `window` says that the
    batch is one whole window: `frames` makes one frame of it.

    >>> batch = EventBatch.from_columns(t=[5, 9], x=[1, 2], y=[0, 0], p=[1, 0])
    >>> batch.span
    Span(start=5, stop=10)
    """

    t: Times
    x: Coordinates
    y: Coordinates
    p: Flags
    sensor: Sensor
    span: Span
    window: bool = False

    @classmethod
    def from_columns(
        cls,
        *,
        t: npt.ArrayLike,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        p: npt.ArrayLike,
        sensor: Sensor | None = None,
        span: Span | None = None,
    ) -> Self:
        """Return a batch of these columns; arrays of the right dtype are not copied, but made
        read-only views.

        `p` may be bool, 0/1 or -1/1. Without `span`, it is `[min t, max t + 1)`.
        Raises `ValueError` when lengths differ or a value does not fit its column.
        """
        times, columns, rows = (
            _integers(t, np.int64),
            _integers(x, np.uint16),
            _integers(y, np.uint16),
        )
        flags = np.asarray(p)
        flags = _read_only(flags if flags.dtype == np.bool_ else flags > 0)
        lengths = [len(times), len(columns), len(rows), len(flags)]
        if len(set(lengths)) != 1:
            raise ValueError(f"the columns t, x, y, p differ in length: {lengths}")
        return cls(times, columns, rows, flags, sensor or Sensor(), span or span_of(times))

    @classmethod
    def empty(cls, sensor: Sensor | None = None, span: Span = Span(0, 0)) -> Self:  # noqa: B008
        """Return a batch without events."""
        return cls(*_NOTHING, sensor or Sensor(), span)

    @classmethod
    def concat(cls, batches: Sequence[EventBatch], /) -> Self:
        """Return one batch of all events in the order given. Raises `ValueError` for an empty
        sequence.
        """
        if not batches:
            raise ValueError("nothing to concatenate: no batch was given")
        t, x, y, p = (
            np.concatenate([one.t for one in batches]),
            np.concatenate([one.x for one in batches]),
            np.concatenate([one.y for one in batches]),
            np.concatenate([one.p for one in batches]),
        )
        span = Span(min(b.span.start for b in batches), max(b.span.stop for b in batches))
        return cls(*_frozen(t, x, y, p), batches[0].sensor, span)

    def __len__(self) -> int:
        return len(self.t)

    def __iter__(self) -> Iterator[Event]:
        columns = (self.t.tolist(), self.x.tolist(), self.y.tolist(), self.p.tolist())
        return map(Event._make, zip(*columns, strict=True))

    def __getitem__(self, index: slice, /) -> EventBatch:
        t = self.t[index]
        span = span_of(t) if len(t) else Span(self.span.start, self.span.start)
        return EventBatch(t, self.x[index], self.y[index], self.p[index], self.sensor, span)

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[np.void]:
        if copy is False:
            raise ValueError("four columns cannot become one structured array without a copy")
        events = np.empty(len(self), EVENT_DTYPE)
        for name in "txyp":
            events[name] = getattr(self, name)
        return events if dtype is None else events.astype(dtype)

    def __repr__(self) -> str:
        size = f"{self.sensor.width}x{self.sensor.height}" if self.sensor.sized else "no size"
        return f"EventBatch({len(self)} events, {self.span}, {size})"

    def cut(self, start: int, stop: int, span: Span) -> EventBatch:
        """Return events `start` to `stop` by index, as views, under the given span."""
        part = slice(start, stop)
        return EventBatch(self.t[part], self.x[part], self.y[part], self.p[part], self.sensor, span)

    def as_window(self, span: Span) -> EventBatch:
        """Return the same events as one whole window with these bounds."""
        return EventBatch(self.t, self.x, self.y, self.p, self.sensor, span, True)

    def between(self, start: int, stop: int) -> EventBatch:
        """Return the events of `start <= t < stop` (µs) by binary search: the batch must be in time
        order.
        """
        first, last = np.searchsorted(self.t, (start, stop))
        return self.cut(int(first), int(last), Span(start, max(start, stop)))

    def where(self, mask: Flags, /) -> EventBatch:
        """Return the events whose entry in `mask` (bool, one an event) is true; the span stays."""
        columns = _frozen(self.t[mask], self.x[mask], self.y[mask], self.p[mask])
        return EventBatch(*columns, self.sensor, self.span, self.window)

    def torch(self, device: Device | None = None) -> EventTensors:
        """Return the columns as tensors `(t, x, y, p)`: int64, uint16, uint16 and bool.

        As with `Frame.torch`, they share the memory of the batch unless they go to another device:
        do not write to them.
        """
        return EventTensors(*(tensor_of(one, device) for one in (self.t, self.x, self.y, self.p)))


class LabelledBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Events of a simulation, and `noise` (bool, one an event), which says which are noise."""

    events: EventBatch
    noise: Flags

    @property
    def span(self) -> Span:
        """Stretch of time that the events stand for."""
        return self.events.span

    def __len__(self) -> int:
        return len(self.events)


class TriggerBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Edges on a camera's trigger inputs: `t` int64 (µs), `id` uint8 (the input), `value` bool
    (`True` is rising).
    """

    t: Times
    id: npt.NDArray[np.uint8]
    value: Flags
    sensor: Sensor
    span: Span

    def __len__(self) -> int:
        return len(self.t)


class ImuBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Inertial measurements: `t` int64 (µs), `temperature` (°C), and `accelerometer` (g),
    `gyroscope` (°/s) and `magnetometer` (µT) of shape `(n, 3)`, all float32.
    """

    t: Times
    temperature: npt.NDArray[np.float32]
    accelerometer: npt.NDArray[np.float32]
    gyroscope: npt.NDArray[np.float32]
    magnetometer: npt.NDArray[np.float32]
    sensor: Sensor
    span: Span

    def __len__(self) -> int:
        return len(self.t)


class ExposureBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Starts and stops of exposure measurements, as ATIS pixels send them beside their events: the
    shorter the time from the start to the `stop` (bool) of a pixel, the brighter the light on it.

    `t`, `x` and `y` are as in `EventBatch`.
    """

    t: Times
    x: Coordinates
    y: Coordinates
    stop: Flags
    sensor: Sensor
    span: Span

    def __len__(self) -> int:
        return len(self.t)


class ColourBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Pixels that took on a colour: `r`, `g` and `b` uint8; `t`, `x` and `y` as in `EventBatch`."""

    t: Times
    x: Coordinates
    y: Coordinates
    r: Bytes
    g: Bytes
    b: Bytes
    sensor: Sensor
    span: Span

    def __len__(self) -> int:
        return len(self.t)


class GenericBatch(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """Bytes of no known meaning with times: `data` has one entry for each `t` (µs)."""

    t: Times
    data: tuple[bytes, ...]
    span: Span

    def __len__(self) -> int:
        return len(self.t)


PICTURES = ("intensity", "bgr")
"""Modes of frames that were seen, not made of events."""


class Frame(Shown, msgspec.Struct, frozen=True, eq=False, weakref=True):
    """A dense picture: `array` of shape `(…, height, width)`, or `(…, width, height)` where `axes`
    is `"xy"`.

    `np.asarray(frame)` is its array, without a copy. `mode` says how it was made: `"count"`,
    `"signed"`, `"polarity"`, `"binary"`, `"time_surface"`, `"voxel_grid"` and so on;
    `"intensity"`, of a camera's own, may be `(…, 3)` in RGB, and `"bgr"` is the other way round;
    floats go from 0 to 255, as bytes do. A notebook shows it as a picture.
    """

    array: npt.NDArray[np.generic]
    span: Span
    sensor: Sensor
    mode: str = "count"
    axes: str = "yx"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.array.shape

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[np.generic]:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __dlpack__(self, **asked: object) -> CapsuleType:
        return capsule_of(self.array, asked)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def torch(self, device: Device | None = None) -> Tensor:
        """Return the frame as a tensor of its shape and dtype, on this device.

        Without one, and on the CPU, it shares the memory of the frame, as `torch.from_dlpack` and
        `jax.dlpack.from_dlpack` make it do. Frames are read-only, and torch has no such tensors: do
        not write to it, for others may look at the frame; `.clone()` is yours. Raises
        `MissingExtraError` without torch, and what torch raises for a device that is not there.
        """
        return tensor_of(self.array, device)

    def save(self, path: str | PathLike[str], /) -> None:
        """Write the frame as a picture, `.png`, in the colours that `aevents.png` gives it.

        Raises `ValueError` for another suffix and for a frame that is no picture (a voxel grid, a
        stack), and what writing a file raises.
        """
        if _save is None:
            raise TypeError("a picture of a frame needs `import aevents.sinks.images`")
        _save(self, path)

    def __repr__(self) -> str:
        return f"Frame({self.mode}, shape {self.shape}, {self.array.dtype}, {self.span})"


class Chunk(msgspec.Struct, Generic[_D], frozen=True, eq=False, weakref=True):
    """Some units in a row: the events of a batch, bytes, characters, entries of a list, or rows of
    an array, in `data`.

    `span` reaches from the time of the first unit to that of the last, `[first, last + 1)` in µs;
    `[0, 0)` means: not known. `offset` is how many units of the stream came before, `dropped` how
    many of those were left out right before this chunk, and `padded` how many at its end only fill
    it.
    """

    data: _D
    span: Span = Span(0, 0)
    offset: int = 0
    dropped: int = 0
    padded: int = 0

    def __len__(self) -> int:
        return len(self.data)  # type: ignore[arg-type]  # whatever it is, it can be cut

    @property
    def nbytes(self) -> int:
        """Bytes that the units take, 8 for each entry of a list."""
        data: object = self.data
        if isinstance(data, EventBatch):
            return data.t.nbytes + data.x.nbytes + data.y.nbytes + data.p.nbytes
        if isinstance(data, np.ndarray | memoryview):
            return data.nbytes
        return len(self) * (8 if isinstance(data, list) else 1)

    def __repr__(self) -> str:
        return f"Chunk({len(self)} units from {self.offset}, {self.span})"


Save = Callable[[Frame, str | PathLike[str]], None]


def save_frames_with(save: Save) -> None:
    """Tell `Frame` how it becomes a file; `sinks.images`, a higher room, says so when it is
    imported.
    """
    global _save  # set once, on import
    _save = save


_save: Save | None = None


def span_of(t: Times, /) -> Span:
    """Return the span that these times cover: `[min, max + 1)`, or `[0, 0)` for none."""
    return Span(int(t.min()), int(t.max()) + 1) if len(t) else Span(0, 0)


def _read_only(array: npt.NDArray[_A]) -> npt.NDArray[_A]:
    view = array.view()
    view.flags.writeable = False
    return view


def _frozen(
    t: Times, x: Coordinates, y: Coordinates, p: Flags
) -> tuple[Times, Coordinates, Coordinates, Flags]:
    for column in (t, x, y, p):
        column.flags.writeable = False
    return t, x, y, p


def _integers(values: npt.ArrayLike, dtype: type[_I]) -> npt.NDArray[_I]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"a column has one dimension, not {array.ndim}")
    if array.dtype != dtype and len(array):
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(
                f"values from {array.min()} to {array.max()} do not fit {limits.dtype}"
            )
    return _read_only(array.astype(dtype, copy=False))


_NOTHING = (
    _read_only(np.empty(0, np.int64)),
    _read_only(np.empty(0, np.uint16)),
    _read_only(np.empty(0, np.uint16)),
    _read_only(np.empty(0, np.bool_)),
)
