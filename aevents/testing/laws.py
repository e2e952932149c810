"""The laws that codecs, operators, sources and sinks obey, as calls: hand over a factory, get the
edge cases.

Each `check_*` raises `AssertionError` where a law is broken. They are for the tests of this library
and for those of your own formats, operators, cameras and sinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Never, TypeVar, cast

import anyio
import anyio.lowlevel
import numpy as np

from aevents._contracts import Origin, Sink
from aevents._mutants import mutant
from aevents.codecs.base import Buffer, Codec, Encoder, Patch
from aevents.errors import DecodeError
from aevents.operators.base import Operator
from aevents.stream import Stream, stream_of
from aevents.types import EventBatch, Frame, Sensor, Span

T = TypeVar("T")


def example_events(
    count: int = 600, *, sensor: Sensor | None = None, start_us: int = 1_000, seed: int = 0
) -> EventBatch:
    """Return events such as a camera sends: in time order, in bursts, with runs of neighbours in a
    row.
    """
    sensor = sensor or Sensor(320, 240)
    random = np.random.default_rng(seed)
    steps = random.choice([0, 0, 0, 1, 7, 90, 5_000], count)
    x = random.integers(0, sensor.width, count)
    y = random.integers(0, sensor.height, count)
    for first in range(0, count - 24, 40):  # a row of neighbours, at one time and of one polarity
        steps[first + 1 : first + 24] = 0
        x[first : first + 24] = int(random.integers(0, sensor.width - 24)) + np.arange(24)
        y[first : first + 24] = y[first]
    p = np.repeat(random.integers(0, 2, count // 24 + 1), 24)[:count]
    return EventBatch.from_columns(t=start_us + np.cumsum(steps), x=x, y=y, p=p, sensor=sensor)


def cut_events(batch: EventBatch, sizes: Iterable[int]) -> Iterator[EventBatch]:
    """Yield the batch in pieces of these sizes, then the rest, with spans as a decoder would give
    them.
    """
    start, time = 0, batch.span.start
    for size in (*sizes, len(batch)):
        stop = min(start + size, len(batch))
        last = stop == len(batch)
        reached = batch.span.stop if last else max(time, int(batch.t[:stop].max(initial=time)))
        yield batch.cut(start, stop, Span(time, reached))
        start, time = stop, reached
        if last:
            return


def encode(encoder: Encoder[Never], items: Iterable[object]) -> bytes:
    """Return the file that an encoder makes of these items."""
    feed = cast("Encoder[object]", encoder).feed
    data = bytearray()
    pieces = [piece for item in items for piece in feed(item)]
    for piece in (*pieces, *encoder.flush()):
        if isinstance(piece, Patch):
            data[piece.offset : piece.offset + len(piece.data)] = piece.data
        else:
            data += piece
    return bytes(data)


def decode(codec: Codec, chunks: Iterable[Buffer], **options: object) -> list[object]:
    """Return what a fresh decoder of this codec makes of these chunks."""
    decoder = codec.decoder(**options)
    return [item for chunk in chunks for item in decoder.feed(chunk)] + list(decoder.flush())


def check_codec(
    codec: Codec,
    *,
    batch: EventBatch | None = None,
    recording: bytes | None = None,
    mutations: int = 1_000,
    seed: int = 0,
) -> None:
    """Check a format: round trip, the chunking law, truncation at every byte, mutated bytes.

    Whatever the bytes, decoding gives batches or raises `DecodeError`, nothing else. A format that
    is not written is checked on a small `recording`, which must hold events.
    """
    batch, data = _example_of(codec, batch or example_events(seed=seed), recording)
    whole = decode(codec, [data])
    assert_same_events(whole, [batch])
    random = np.random.default_rng(seed)
    for cuts in (range(1, len(data)), *_random_cuts(random, len(data), times=8)):
        assert_same_events(decode(codec, _cut(data, cuts)), [batch])
    _check_truncation(codec, data, batch)
    dice = Random(seed)
    for _ in range(mutations):
        _decodes_or_refuses(codec, mutant([data], dice), random)


def check_operator(
    make: Callable[[], Operator[EventBatch, object]],
    *,
    batch: EventBatch | None = None,
    seed: int = 0,
) -> list[object]:
    """Check the chunking law: however the events are cut, what comes out is the same. Return what
    comes out.

    Plain batches are compared after joining them; windows, frames and other items one by one.
    """
    batch = batch or example_events(seed=seed)
    expected = _run(make(), [batch])
    random = np.random.default_rng(seed)
    for sizes in ([1] * len(batch), *(_sizes(random, len(batch)) for _ in range(8))):
        assert_same(_run(make(), cut_events(batch, sizes)), expected)
    assert_same(_run(make(), [batch]), expected)
    return expected


async def check_source(origin: Origin[T], *, cancellations: int = 20) -> list[T]:
    """Check a finite source: read async, blocking, twice, cancelled again and again, closed early
    and twice.

    Return its items. Run it inside an event loop.
    """
    items = await stream_of(origin).to_list()
    assert_same(await stream_of(origin).to_list(), items)
    if origin.blocking is not None:
        assert_same(list(stream_of(origin).blocking()), items)
    assert_same(await _read_cancelled(stream_of(origin), cancellations), items)
    async with stream_of(origin).open() as run:
        async for _ in run:
            break
    await run.aclose()
    return items


async def check_sink(make: Callable[[], Sink[T]], items: Sequence[T]) -> None:
    """Check a sink: it takes items, survives a cancelled write, closes twice, and refuses items
    after that.
    """
    sink = make()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await sink.write(items[0])
    for item in items[1:]:
        await sink.write(item)
    await sink.aclose()
    await sink.aclose()
    try:
        await sink.write(items[0])
    except anyio.ClosedResourceError:
        return
    raise AssertionError("a closed sink took an item")


def assert_same(actual: Sequence[object], expected: Sequence[object]) -> None:
    """Assert that two lists of items are the same: plain batches joined, all else one by one."""
    if all(isinstance(item, EventBatch) and not item.window for item in (*actual, *expected)):
        assert_same_events(actual, expected)
        return
    assert len(actual) == len(expected), f"{len(actual)} items, not {len(expected)}"
    for one, other in zip(actual, expected, strict=True):
        _assert_same_item(one, other)


def assert_same_events(actual: Iterable[object], expected: Iterable[object]) -> None:
    """Assert that the events in two runs of items are the same, in the same order."""
    one, other = _joined(actual), _joined(expected)
    for name in "txyp":
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def _assert_same_item(one: object, other: object) -> None:
    assert type(one) is type(other)
    if isinstance(one, EventBatch) and isinstance(other, EventBatch):
        assert (one.span, one.sensor) == (other.span, other.sensor)
        assert_same_events([one], [other])
    elif isinstance(one, Frame) and isinstance(other, Frame):
        assert (one.span, one.sensor) == (other.span, other.sensor)
        np.testing.assert_array_equal(one.array, other.array)
    else:
        assert one == other


def _joined(items: Iterable[object]) -> EventBatch:
    batches = [item for item in items if isinstance(item, EventBatch)]
    return EventBatch.concat(batches) if batches else EventBatch.empty()


def _example_of(
    codec: Codec, batch: EventBatch, recording: bytes | None
) -> tuple[EventBatch, bytes]:
    """Return events, and the bytes that mean them."""
    if recording is None:
        assert codec.encoder is not None, "a codec without encoder is checked on a recording"
        return batch, encode(codec.encoder(), [batch])
    read = _joined(decode(codec, [recording]))
    assert len(read), "there are no events in the recording"
    return read, recording


def _check_truncation(codec: Codec, data: bytes, batch: EventBatch) -> None:
    for length in range(len(data)):
        try:
            kept = _joined(decode(codec, [data[:length]]))
        except DecodeError:
            continue
        assert_same_events([kept], [batch[: len(kept)]])


def _decodes_or_refuses(codec: Codec, data: bytes, random: np.random.Generator) -> None:
    cuts = next(_random_cuts(random, len(data), times=1))
    try:
        items = decode(codec, _cut(data, cuts))
    except DecodeError:
        return
    for batch in items:
        if isinstance(batch, EventBatch):
            assert len(batch.t) == len(batch.x) == len(batch.y) == len(batch.p)


async def _read_cancelled(stream: Stream[T], cancellations: int) -> list[T]:
    """Read a stream, at first with reads that are cancelled, each a little later than the last."""
    items: list[T] = []

    async def read_one() -> None:
        async for item in run:
            items.append(item)
            return

    async with stream.open() as run:
        for turns in range(cancellations):
            async with anyio.create_task_group() as reading:
                reading.start_soon(read_one)
                for _ in range(turns):  # so that each await of a read is hit by some
                    await anyio.lowlevel.checkpoint()
                reading.cancel_scope.cancel()
        items.extend([item async for item in run])
    return items


def _run(operator: Operator[T, object], items: Iterable[T]) -> list[object]:
    return [out for item in items for out in operator.feed(item)] + list(operator.flush())


def _cut(data: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for cut in (*cuts, len(data)):
        yield data[start:cut]
        start = cut


def _random_cuts(random: np.random.Generator, size: int, *, times: int) -> Iterator[list[int]]:
    for _ in range(times):
        yield sorted(int(cut) for cut in random.integers(0, size + 1, int(random.integers(1, 20))))


def _sizes(random: np.random.Generator, total: int) -> list[int]:
    return [int(size) for size in random.integers(0, max(2, total // 4), 30)]
