"""Pixels of an Event Stream: seams, slabs, and order."""

from __future__ import annotations

import tracemalloc

import pytest

from aevents._native.columns import SLACK
from aevents.codecs.base import Watch
from aevents.codecs.es_pixels import ATIS, COLOUR, DVS, PixelReader, PixelWriter
from aevents.testing import assert_same_events, example_events
from aevents.types import EventBatch, Sensor


def reader(kind: int = DVS, *, height: int = 240) -> PixelReader:
    watch = Watch("es", strict=True)
    watch.use(Sensor(320, 240))
    return PixelReader(watch, kind, height=height, time=0, offset=20)


def written(batch: EventBatch, kind: int = DVS) -> bytes:
    return b"".join(PixelWriter(kind, batch.sensor, time=0).write(batch))


@pytest.mark.parametrize("kind", [DVS, ATIS])
def test_a_record_at_a_seam_is_read_once(kind: int) -> None:
    batch = example_events(200)
    data = written(batch, kind)
    for cut in range(0, len(data), 7):
        one = reader(kind)
        items = [*one.feed(data[:cut]), *one.feed(data[cut : cut + 2]), *one.feed(data[cut + 2 :])]
        assert_same_events(items, [batch])
        assert (len(one), one.offset) == (0, 20 + len(data))


@pytest.mark.parametrize(("kind", "size"), [(DVS, 5), (ATIS, 5), (COLOUR, 8)])
def test_it_tells_how_much_of_a_record_has_come(kind: int, size: int) -> None:
    one = reader(kind)
    for length in range(1, size):
        assert list(one.feed(b"\0")) == []
        assert (len(one), one.offset) == (length, 20)
    assert len(list(one.feed(b"\0"))) == 1
    assert (len(one), one.offset) == (0, 20 + size)


def test_long_runs_come_in_slabs() -> None:
    batch = example_events(70_000)
    sizes = [len(item) for item in reader().feed(written(batch))]
    assert sum(sizes) == 70_000
    assert max(sizes) <= 65_536 + SLACK


def test_idle_bytes_take_no_memory() -> None:
    one, idle = reader(), b"\xff" * (1 << 20)
    tracemalloc.start()
    for _ in range(20):
        assert list(one.feed(idle)) == []
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    (batch,) = one.feed(bytes(5))
    assert batch.t.tolist() == [127 * 20 * (1 << 20)]
