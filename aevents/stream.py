"""`Stream[T]`: a recipe of a source and operators, and the fluent surface over it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence, Sized
from contextlib import AsyncExitStack
from functools import partial
from typing import Generic, Literal, Never, TypeVar, cast, overload

import anyio
import anyio.to_thread
import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from aevents._contracts import Origin, Report, Sink, WaitingSource
from aevents._driver import CLOSE_SECONDS, AsyncRun, BlockingRun
from aevents._nested import Limited, MapAsync, Marked, Paced, Tap
from aevents._shown import Shown
from aevents.operators.base import Filter, Map, Operator
from aevents.operators.denoise import Contrast, Denoise, Refractory
from aevents.operators.dvs import Preset
from aevents.operators.frames import Axes, Frames, Mode
from aevents.operators.gather import Each, Gather
from aevents.operators.geometry import Downsample, Flip, Rotate, Scale, Transpose
from aevents.operators.hot import FACTOR, LEARN_US, WithoutHotPixels
from aevents.operators.order import Rezero, Shift, Sort
from aevents.operators.poisson import Poisson
from aevents.operators.rechunk import Rechunk, Tail
from aevents.operators.sampled import GapUs, Sampled
from aevents.operators.saturation import WithoutLines
from aevents.operators.select import Crop, Mask, Polarity, Take, TimeSlice
from aevents.operators.simulate import Events, Model, Moments
from aevents.operators.thin import DropByChance, KeepEvery
from aevents.operators.undistort import Undistort
from aevents.operators.window import MAX_GAP_US, SlidingWindow, Window
from aevents.types import Chunk, Event, EventBatch, Frame

T = TypeVar("T", covariant=True)
U = TypeVar("U")
S = TypeVar("S", EventBatch, Frame)

OperatorFactory = Callable[[], Operator[Never, object]]


class Stream(Shown, msgspec.Struct, Generic[T], frozen=True, eq=False):
    """A recipe: how to open a source, and the operators after it. Nothing runs until it is read.

    Read it with `async for`, or with `for` over `.blocking()`. Each reading opens the source and
    makes the operators afresh, so a stream of a file can be read again and again.
    """

    origin: Origin[object]
    operators: tuple[OperatorFactory, ...] = ()
    endless: bool = False
    windowed: bool = False

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in self.__struct_fields__]

    # -- reading --------------------------------------------------------------------------------

    def __aiter__(self) -> AsyncRun[T]:
        return self.open()

    def open(self) -> AsyncRun[T]:
        """Return this stream running, for `async with` around `async for`: leaving it closes."""
        return AsyncRun(self.origin, [make() for make in self.operators])

    def blocking(self) -> BlockingRun[T]:
        """Return this stream running, for a plain `for`. Raises `TypeError` where the source has no
        blocking form.
        """
        return BlockingRun(self.origin, [make() for make in self.operators])

    async def first(self) -> T:
        """Return the first item. Raises `anyio.EndOfStream` if there is none."""
        async with self.open() as items:
            async for item in items:
                return item
        raise anyio.EndOfStream

    async def peek(self) -> T:
        """Return the first item that is not empty, for a notebook to show. A recording begins anew
        at the next reading; of a live source it is the next. Raises `anyio.EndOfStream` if there is
        none.
        """
        return await self.filter(_some).first()

    async def one(self) -> T:
        """Return the only item. Raises `anyio.EndOfStream` if there is none, `ValueError` if there
        are more.
        """
        self._refuse_endless("one")
        items = await self.take(2).to_list()
        if not items:
            raise anyio.EndOfStream
        if len(items) > 1:
            raise ValueError("more than one item came: use first() or to_list()")
        return items[0]

    async def to_list(self) -> list[T]:
        """Return all items. Raises `ValueError` on a live source without `take`."""
        self._refuse_endless("to_list")
        async with self.open() as items:
            return [item async for item in items]

    async def collect(self: Stream[EventBatch]) -> EventBatch:
        """Return all events in one batch. Raises `ValueError` on a live source without `take`."""
        self._refuse_endless("collect")
        return await self.through(partial(Gather, self.origin.size)).one()

    async def stack(self: Stream[Frame]) -> npt.NDArray[np.generic]:
        """Return the arrays of all frames, stacked: `(n, …, height, width)`. Raises `ValueError` if
        there are none.
        """
        frames = await self.to_list()
        return await anyio.to_thread.run_sync(np.stack, [frame.array for frame in frames])

    async def to(self, *sinks: Sink[T] | str) -> Report:
        """Write every item to each sink (or to what `create` makes of a string), and return what
        happened.

        However it ends, by the end of the stream, an error, a cancellation or Ctrl-C, the sinks are
        finished: what was written is whole. A source that fails before its first item leaves them
        alone: no file is made, none emptied.
        """
        async with self.open() as items:
            await deliver(items, [_sink(one) for one in sinks])
        return items.report

    # -- operators ------------------------------------------------------------------------------

    def through(self, make: Callable[[], Operator[T, U]], /) -> Stream[U]:
        """Append an operator of your own: `make` returns a fresh one for each run."""
        row = (
            *self.operators,
            cast("OperatorFactory", make),
        )  # in a row, operators meet as objects
        return Stream(self.origin, row, self.endless, self.windowed)

    def map(self, function: Callable[[T], U], /) -> Stream[U]:
        """Apply a pure function to each item; it may run in a worker thread."""
        return self.through(partial(Map[T, U], function))

    def filter(self, keep: Callable[[T], bool], /) -> Stream[T]:
        """Keep the items for which a pure function says so; it may run in a worker thread."""
        return self.through(partial(Filter[T], keep))

    def take(self, count: int, /) -> Stream[T]:
        """Keep the first `count` items, and stop. Raises `ValueError` for a negative count."""
        return replace(self._checked(partial(Take[T], count)), endless=False)

    def window(
        self: Stream[EventBatch],
        *,
        duration_us: int | None = None,
        count: int | None = None,
        hop_us: int | None = None,
        partial: bool = True,
        origin_us: int | None = None,
        max_gap_us: int = MAX_GAP_US,
    ) -> Stream[EventBatch]:
        """Cut by event time, by count, by whichever comes first, or sliding by `hop_us`; see
        `Window` and `SlidingWindow`.
        """
        ends = {"partial": partial, "origin_us": origin_us, "max_gap_us": max_gap_us}
        make: Callable[[], Operator[EventBatch, EventBatch]]
        if hop_us is None:
            make = _factory(Window, duration_us=duration_us, count=count, **ends)
        elif count is None and duration_us is not None:
            make = _factory(SlidingWindow, duration_us=duration_us, hop_us=hop_us, **ends)
        else:
            raise ValueError("hop_us needs duration_us, and no count")
        return replace(self._checked(make), windowed=True)

    def frames(
        self: Stream[EventBatch],
        mode: Mode = "count",
        *,
        dtype: npt.DTypeLike = np.float32,
        axes: Axes = "yx",
    ) -> Stream[Frame]:
        """Make a frame of each window, or one of everything; see `Frames`. A live stream needs a
        window first.
        """
        if self.endless and not self.windowed:
            raise ValueError(
                "a live stream has no end: put .window(duration_us=…) before .frames()"
            )
        return self._checked(partial(Frames, mode, dtype=dtype, axes=axes))

    def events(
        self: Stream[Frame],
        model: Model = "v2e",
        *,
        preset: Preset | None = None,
        thresholds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        times: Moments = "crossing",
        seed: int = 0,
        **pixel: float,
    ) -> Stream[EventBatch]:
        """Make the events that an event camera would have sent of these pictures; see `Events`."""
        options = {"preset": preset, "thresholds": thresholds, "times": times, "seed": seed}
        return self._checked(_factory(Events, model, **options, **pixel))

    def poisson(self: Stream[Frame], *, hz: float = 1.0, seed: int = 0) -> Stream[EventBatch]:
        """Make events by chance, at the rates that the frames give; see `Poisson`."""
        return self._checked(partial(Poisson, hz=hz, seed=seed))

    def crop(
        self: Stream[EventBatch],
        *,
        x: tuple[int, int] | None = None,
        y: tuple[int, int] | None = None,
    ) -> Stream[EventBatch]:
        """Keep a region, `x[0] <= x < x[1]` and likewise `y`; coordinates count from its corner;
        see `Crop`.
        """
        return self._checked(partial(Crop, x=x, y=y))

    def polarity(self: Stream[EventBatch], keep: bool, /) -> Stream[EventBatch]:
        """Keep ON events (`True`) or OFF events (`False`)."""
        return self.through(partial(Polarity, keep))

    def time_slice(self: Stream[S], start: int = 0, stop: int | None = None) -> Stream[S]:
        """Keep the events of `start <= t < stop` (µs, as recorded), or the frames that begin then,
        and stop reading there; see `TimeSlice`. Right after `open`, what comes before is not read,
        where the format allows it.
        """
        sliced = self._checked(partial(TimeSlice, start, stop))
        first = len(self.operators) == self.origin.operators
        within = self.origin.within if first and start > 0 else None
        origin = within(start) if within else self.origin
        return replace(sliced, origin=origin, endless=self.endless and stop is None)

    # -- filters --------------------------------------------------------------------------------

    def mask(self: Stream[EventBatch], mask: npt.ArrayLike, /) -> Stream[EventBatch]:
        """Keep the pixels where `mask` (height, width) is true; see `Mask`."""
        return self._checked(partial(Mask, mask))

    def denoise(self: Stream[EventBatch], *, duration_us: int) -> Stream[EventBatch]:
        """Leave out events without another beside them in the last `duration_us`; see `Denoise`."""
        return self._checked(partial(Denoise, duration_us))

    def refractory(self: Stream[EventBatch], *, period_us: int) -> Stream[EventBatch]:
        """Let each pixel rest for `period_us` after an event; see `Refractory`."""
        return self._checked(partial(Refractory, period_us))

    def contrast(
        self: Stream[EventBatch], *, duration_us: int, trail: bool = True
    ) -> Stream[EventBatch]:
        """Keep events that follow on one of the same pixel and polarity; see `Contrast`."""
        return self._checked(partial(Contrast, duration_us, trail=trail))

    def without_hot_pixels(
        self: Stream[EventBatch],
        pixels: Iterable[tuple[int, int]] | None = None,
        *,
        learn_us: int = LEARN_US,
        factor: float = FACTOR,
    ) -> Stream[EventBatch]:
        """Leave out listed pixels, or those found hot in the beginning; see `WithoutHotPixels`."""
        listed = None if pixels is None else tuple(pixels)
        return self._checked(partial(WithoutHotPixels, listed, learn_us=learn_us, factor=factor))

    def without_lines(
        self: Stream[EventBatch], fill: float = 0.5, *, along: Literal["x", "y"] = "x"
    ) -> Stream[EventBatch]:
        """Leave out lines that have events nearly everywhere at one time; see `WithoutLines`."""
        return self._checked(partial(WithoutLines, fill, along=along))

    def keep_every(self: Stream[EventBatch], n: int, /) -> Stream[EventBatch]:
        """Keep every `n`-th event; see `KeepEvery`."""
        return self._checked(partial(KeepEvery, n))

    def drop_by_chance(
        self: Stream[EventBatch], share: float, /, *, seed: int = 0
    ) -> Stream[EventBatch]:
        """Leave out this share of the events, at random; see `DropByChance`."""
        return self._checked(partial(DropByChance, share, seed=seed))

    # -- geometry -------------------------------------------------------------------------------

    def flip(self: Stream[EventBatch], axis: Literal["x", "y"], /) -> Stream[EventBatch]:
        """Mirror the picture: `"x"` swaps left and right, `"y"` top and bottom; see `Flip`."""
        return self._checked(partial(Flip, axis))

    def rotate(self: Stream[EventBatch], degrees: int, /) -> Stream[EventBatch]:
        """Turn the picture clockwise by a multiple of 90 degrees; see `Rotate`."""
        return self._checked(partial(Rotate, degrees))

    def transpose(self: Stream[EventBatch]) -> Stream[EventBatch]:
        """Swap columns with rows; see `Transpose`."""
        return self.through(Transpose)

    def downsample(self: Stream[EventBatch], factor: int, /) -> Stream[EventBatch]:
        """Make one pixel of `factor` times `factor`; all events stay; see `Downsample`."""
        return self._checked(partial(Downsample, factor))

    def scale(self: Stream[EventBatch], *, width: int, height: int) -> Stream[EventBatch]:
        """Fit the picture into a sensor of this size; see `Scale`."""
        return self._checked(partial(Scale, width=width, height=height))

    def undistort(
        self: Stream[EventBatch], camera: npt.ArrayLike, distortion: npt.ArrayLike
    ) -> Stream[EventBatch]:
        """Undo the distortion of the lens; see `Undistort`."""
        return self._checked(partial(Undistort, camera, distortion))

    @overload
    def rechunk(
        self: Stream[Frame], size: int, /, *, exact: bool = ..., tail: Tail = ...
    ) -> Stream[Chunk[npt.NDArray[np.generic]]]: ...

    @overload
    def rechunk(
        self: Stream[Chunk[U]], size: int, /, *, exact: bool = ..., tail: Tail = ...
    ) -> Stream[Chunk[U]]: ...

    @overload
    def rechunk(
        self: Stream[T], size: int, /, *, exact: bool = ..., tail: Tail = ...
    ) -> Stream[Chunk[T]]: ...

    def rechunk(
        self, size: int, /, *, exact: bool = False, tail: Tail = "emit"
    ) -> Stream[Chunk[object]]:
        """Gather units (events, bytes, characters, entries, rows, frames) into chunks of at least
        `size`, or with `exact` of just that; see `Rechunk`.
        """
        make = _factory(Rechunk[object], size, exact=exact, tail=tail)
        gathered = self if self.operators else self._gathered(size)
        return gathered._checked(make)

    def sampled(self, *, gap_us: GapUs | None = None, coverage: float | None = None) -> Stream[T]:
        """Leave out what comes within `gap_us` of event time after each item, or so much that a
        share of `coverage` is left; right behind `rechunk`, to the unit; see `Sampled`.
        """
        make = _factory(Sampled[T], gap_us=gap_us, coverage=coverage)
        return self._gathered(1)._checked(make)  # a gap may end in the middle of what was gathered

    # -- wall time ------------------------------------------------------------------------------

    def map_async(self, function: Callable[[T], Awaitable[U]], /) -> Stream[U]:
        """Apply a coroutine function to each item, one after the other, on the event loop."""
        return self._around(lambda: MapAsync(self.open(), function))

    def tap(self, function: Callable[[T], object], /) -> Stream[T]:
        """Show each item to a function, or coroutine function, on the event loop."""
        return self._around(lambda: Tap(self.open(), function))

    def limited(self, *, hz: float) -> Stream[T]:
        """Let at least `1 / hz` seconds of wall time pass between two items. Nothing is dropped:
        put `aevents.buffer(…, overflow=aevents.NEWEST)` before it to have the newest.

        Raises `ValueError` unless `hz` is above 0.
        """
        _positive(hz, "hz")
        return self._around(lambda: Limited(self.open(), hz))

    def marked(self: Stream[EventBatch], *, timeout_us: int) -> Stream[EventBatch]:
        """Give an empty batch whenever none has come for `timeout_us` of wall time: its span goes
        on by the time that has passed, so that windows close while a source is silent.

        Raises `ValueError` unless `timeout_us` is above 0.
        """
        _positive(timeout_us, "timeout_us")
        return self._around(lambda: Marked(self.open(), timeout_us))

    def paced(self, *, speed: float = 1.0, repeat: int | bool = False) -> Stream[T]:
        """Play a recording as it happened: `speed` 0.5 is half as fast. What is late, because the
        reader or the machine stalled, comes at once. `repeat` is how often it is played again,
        `True` for ever; times then go on where they ended.

        Raises `ValueError` unless `speed` is above 0, and for a live stream that is to be repeated.
        """
        _positive(speed, "speed")
        if repeat and self.endless:
            raise ValueError("a live stream cannot be repeated")
        rounds = float("inf") if repeat is True else 1 + repeat
        around = self._around(lambda: Paced(self.open, speed, rounds))
        return replace(around, endless=self.endless or repeat is True)

    def shift(self: Stream[EventBatch], by_us: int, /) -> Stream[EventBatch]:
        """Move all times by so many µs."""
        return self.through(partial(Shift, by_us))

    def rezero(self: Stream[EventBatch]) -> Stream[EventBatch]:
        """Move all times so that the first span begins at 0."""
        return self.through(Rezero)

    def sort(self: Stream[EventBatch], *, horizon_us: int) -> Stream[EventBatch]:
        """Put events in the order of time that come up to `horizon_us` late; see `Sort`."""
        return self._checked(partial(Sort, horizon_us))

    def each(self: Stream[EventBatch]) -> Stream[Event]:
        """Give single events, as named tuples `Event(t, x, y, p)`. Convenient, and slow: about 1 µs
        an event.
        """
        return self.through(Each)

    def _around(self, make: Callable[[], WaitingSource[U]]) -> Stream[U]:
        """Return a stream whose source is this one, running, with something around it."""
        origin = Origin(self.origin.name, waiting=make, live=self.origin.live)
        return Stream(cast("Origin[object]", origin), (), self.endless, self.windowed)

    def _gathered(self, size: int) -> Stream[T]:
        gathered = self.origin.gathered
        return replace(self, origin=gathered(size)) if gathered else self

    def _checked(self, make: Callable[[], Operator[T, U]]) -> Stream[U]:
        """Append an operator of ours, after making one to see that its arguments are right."""
        make()
        return self.through(make)

    def _refuse_endless(self, method: str) -> None:
        if self.endless:
            raise ValueError(f"a live stream has no end: put .take(n) before .{method}()")


def _some(item: object) -> bool:
    return not isinstance(item, Sized) or len(item) > 0


def _positive(value: float, name: str) -> None:
    if not value > 0:
        raise ValueError(f"{name} is above 0, not {value}")


async def deliver(items: AsyncRun[T], sinks: Sequence[Sink[T]]) -> None:
    """Write every item of a running stream to each sink, and finish the sinks; see `Stream.to`."""
    async with AsyncExitStack() as finishing:
        begun = False
        async for item in items:
            if not begun:
                begun = _finish_at_the_end(finishing, sinks)
            for sink in sinks:
                await sink.write(item)
        if not begun:
            _finish_at_the_end(finishing, sinks)


def stream_of(origin: Origin[T]) -> Stream[T]:
    """Return the stream that this origin begins."""
    return Stream(cast("Origin[object]", origin), endless=origin.live)


def resolve_names_with(create: Callable[[str], Sink[object]]) -> None:
    """Tell `Stream.to` how a string becomes a sink; the registry, a higher room, says so when it is
    imported.
    """
    global _create  # set once, on import
    _create = create


_create: Callable[[str], Sink[object]] | None = None


def _sink(sink: Sink[T] | str) -> Sink[T]:
    if not isinstance(sink, str):
        return sink
    if _create is None:
        raise TypeError("a name needs `import aevents.registry` to become a sink")
    return cast("Sink[T]", _create(sink))  # whether it takes such items, it says at the first


def _factory(make: Callable[..., U], *given: object, **options: object) -> Callable[[], U]:
    return partial(make, *given, **options)


def _finish_at_the_end(finishing: AsyncExitStack, sinks: Sequence[Sink[T]]) -> bool:
    for sink in sinks:
        finishing.push_async_callback(_finish, sink)
    return True


async def _finish(sink: Sink[T]) -> None:
    with anyio.move_on_after(CLOSE_SECONDS, shield=True):
        await sink.aclose()
