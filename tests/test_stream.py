"""The fluent surface: what a person types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import anyio
import numpy as np
import pytest

import aevents
from aevents import Event, EventBatch, Operator, Report, Sensor, Span, Stream
from aevents._contracts import Origin
from aevents.stream import stream_of
from aevents.testing import assert_same, cut_events, example_events

EVENTS = example_events(600)
PIXEL = int(EVENTS.x[0]), int(EVENTS.y[0])
AnyOperator = Operator[EventBatch, EventBatch]


def recorded(
    *, live: bool = False, sizes: tuple[int, ...] = (100, 1, 0, 250)
) -> Stream[EventBatch]:
    def batches() -> Iterator[EventBatch]:
        yield from cut_events(EVENTS, sizes)

    return stream_of(Origin("recorded", blocking=batches, live=live))  # type: ignore[arg-type]  # a generator closes


class Kept:
    """A sink that keeps what it is given; it fails at the item asked for."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.items: list[object] = []
        self.fail_at = fail_at
        self.closed = 0

    async def write(self, item: object, /) -> None:
        await anyio.lowlevel.checkpoint()
        if len(self.items) == self.fail_at:
            raise OSError("disk full")
        self.items.append(item)

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed += 1


async def test_a_stream_can_be_read_again_and_again() -> None:
    stream = recorded().polarity(True)
    first, second = await stream.to_list(), await stream.to_list()
    assert_same(first, second)
    assert_same(list(stream.blocking()), first)


MASK = np.arange(240 * 320).reshape(240, 320) % 3 > 0
CAMERA, LENS = [[300.0, 0.0, 160.0], [0.0, 300.0, 120.0], [0.0, 0.0, 1.0]], (-0.2, 0.05, 0, 0.001)
SHAPED: list[
    tuple[Callable[[Stream[EventBatch]], Stream[EventBatch]], Callable[[], AnyOperator]]
] = [
    (lambda stream: stream.mask(MASK), lambda: aevents.Mask(MASK)),
    (lambda stream: stream.denoise(duration_us=5_000), lambda: aevents.Denoise(5_000)),
    (lambda stream: stream.refractory(period_us=90_000), lambda: aevents.Refractory(90_000)),
    (
        lambda stream: stream.contrast(duration_us=900_000, trail=False),
        lambda: aevents.Contrast(900_000, trail=False),
    ),
    (
        lambda stream: stream.without_hot_pixels(learn_us=100_000, factor=0.5),
        lambda: aevents.WithoutHotPixels(learn_us=100_000, factor=0.5),
    ),
    (
        lambda stream: stream.without_hot_pixels(iter([PIXEL])),
        lambda: aevents.WithoutHotPixels([PIXEL]),
    ),
    (lambda stream: stream.without_lines(0.05), lambda: aevents.WithoutLines(0.05)),
    (lambda stream: stream.without_lines(0, along="y"), lambda: aevents.WithoutLines(0, along="y")),
    (lambda stream: stream.keep_every(3), lambda: aevents.KeepEvery(3)),
    (lambda stream: stream.drop_by_chance(0.5, seed=3), lambda: aevents.DropByChance(0.5, seed=3)),
    (lambda stream: stream.flip("y"), lambda: aevents.Flip("y")),
    (lambda stream: stream.rotate(270), lambda: aevents.Rotate(270)),
    (lambda stream: stream.transpose(), lambda: aevents.Transpose()),
    (lambda stream: stream.downsample(4), lambda: aevents.Downsample(4)),
    (
        lambda stream: stream.scale(width=100, height=700),
        lambda: aevents.Scale(width=100, height=700),
    ),
    (lambda stream: stream.undistort(CAMERA, LENS), lambda: aevents.Undistort(CAMERA, LENS)),
]


@pytest.mark.parametrize(("shape", "make"), SHAPED)
async def test_filters_and_geometry_are_the_operators_async_and_blocking(
    shape: Callable[[Stream[EventBatch]], Stream[EventBatch]], make: Callable[[], AnyOperator]
) -> None:
    stream, operator = shape(recorded()), make()
    found = await stream.collect()
    expected = EventBatch.concat([*operator.feed(EVENTS), *operator.flush()])
    assert list(found) == list(expected)
    assert (found.sensor, found.span) == (expected.sensor, expected.span)
    assert list(EventBatch.concat(list(stream.blocking()))) == list(expected)


async def test_collect_gives_all_events_in_one_batch() -> None:
    batch = await recorded().collect()
    assert list(batch) == list(EVENTS)


async def test_first_and_one() -> None:
    assert len(await recorded().first()) == 100
    assert (await recorded().frames().one()).array.sum() == 600
    with pytest.raises(ValueError, match="more than one"):
        await recorded().one()
    for method in ("first", "one"):
        with pytest.raises(anyio.EndOfStream):
            await getattr(recorded().take(0), method)()


async def test_single_events() -> None:
    assert await recorded().each().take(3).to_list() == [Event(*event) for event in EVENTS[:3]]


async def test_frames_of_windows_are_stacked() -> None:
    frames = await recorded().window(count=100).frames("signed", dtype=np.int16).stack()
    assert frames.shape == (6, 240, 320)
    assert frames.dtype == np.int16
    assert frames.sum() == 2 * EVENTS.p.sum() - 600


async def test_operators_follow_one_another() -> None:
    stream = recorded().crop(x=(0, 160)).time_slice(100_000, 300_000).polarity(False)
    mask = (EVENTS.x < 160) & (EVENTS.t >= 100_000) & (EVENTS.t < 300_000) & ~EVENTS.p
    assert (await stream.collect()).t.tolist() == EVENTS.t[mask].tolist()


async def test_functions_and_operators_of_ones_own() -> None:
    class Lengths:
        def feed(self, batch: EventBatch, /) -> tuple[int]:
            return (len(batch),)

        def flush(self) -> tuple[int]:
            return (-1,)

    assert await recorded().through(Lengths).to_list() == [100, 1, 0, 250, 249, -1]
    assert await recorded().map(len).filter(bool).to_list() == [100, 1, 250, 249]


async def test_to_writes_every_item_to_each_sink_and_reports() -> None:
    one, other = Kept(), Kept()
    report = await recorded().to(one, other)
    assert isinstance(report, Report)
    assert (report.events, report.delivered) == (600, 5)
    assert_same(one.items, [EVENTS])
    assert_same(other.items, [EVENTS])
    assert (one.closed, other.closed) == (1, 1)


async def test_sinks_are_finished_when_one_fails() -> None:
    broken, good = Kept(fail_at=2), Kept()
    with pytest.raises(OSError, match="disk full"):
        await recorded().to(good, broken)
    assert (good.closed, broken.closed) == (1, 1)
    assert len(good.items) == 3


async def test_sinks_are_finished_when_cancelled() -> None:
    class Slow(Kept):
        async def write(self, item: object, /) -> None:
            await super().write(item)
            if len(self.items) == 2:
                scope.cancel()

    sink = Slow()
    with anyio.CancelScope() as scope:
        await recorded().to(sink)
    assert sink.closed == 1
    assert len(sink.items) == 2


def test_a_live_stream_without_end_is_refused_at_the_call() -> None:
    live = recorded(live=True)
    with pytest.raises(ValueError, match=r"before \.frames"):
        live.frames()
    assert live.take(5).frames().endless is False
    assert live.window(count=5).frames().endless is True
    assert live.time_slice(0, 5).endless is False
    assert live.time_slice(5).endless is True


@pytest.mark.parametrize("method", ["collect", "to_list", "one"])
async def test_gathering_a_live_stream_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match=rf"before \.{method}"):
        await getattr(recorded(live=True), method)()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda stream: stream.window(),
        lambda stream: stream.window(count=5, hop_us=5),
        lambda stream: stream.window(hop_us=5),
        lambda stream: stream.frames("rgb"),
        lambda stream: stream.crop(x=(5, 5)),
        lambda stream: stream.denoise(duration_us=-1),
        lambda stream: stream.rotate(45),
        lambda stream: stream.take(-1),
        lambda stream: stream.time_slice(5, 4),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(
    wrong: Callable[[Stream[EventBatch]], object],
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong(recorded())


async def test_sliding_windows() -> None:
    spans = [window.span async for window in recorded().window(duration_us=100_000, hop_us=50_000)]
    start = int(EVENTS.t[0])
    assert spans[:2] == [Span(start, start + 100_000), Span(start + 50_000, start + 150_000)]


async def test_frames_carry_the_sensor() -> None:
    frame = await recorded().crop(x=(10, 20), y=(30, 35)).frames().one()
    assert frame.sensor == Sensor(10, 5)
    assert frame.shape == (5, 10)


# -- in a notebook ----------------------------------------------------------------------------


async def test_peek_is_the_first_item_that_is_not_empty_and_consumes_nothing() -> None:
    empty, some = EventBatch.empty(Sensor(4, 3)), example_events(50)
    stream = stream_of(Origin("two", blocking=lambda: (one for one in (empty, some))))
    for _ in range(2):
        assert len(await stream.peek()) > 0
    frames = aevents.from_array(some, some.sensor).frames()
    assert (await frames.peek()).array.sum() == 50
    with pytest.raises(anyio.EndOfStream):
        await stream.filter(lambda one: False).peek()


def test_what_is_offered_for_completion_leads_on_and_is_explained() -> None:
    names = [name for name in dir(aevents.open("some.raw")) if not name.startswith("_")]
    assert len(names) < 50
    assert {"window", "frames", "peek", "to", "collect"} <= set(names)
    assert all(getattr(Stream, name).__doc__ for name in names)
