"""Frames that are drawn as they are asked for: their times and ends, and any way to read them."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from aevents.sources.drawn import (
    BLOCK_BYTES,
    Drawn,
    Picture,
    block_of,
    check_seed,
    dice,
    frame_of,
    timing,
)
from aevents.stream import Stream, stream_of
from aevents.types import Frame, Sensor, Span
from tests.convis import arrays
from tests.truth import needs_convis

SENSOR = Sensor(4, 3)
BLOCK = 8

F = TypeVar("F", bound=Frame)


def late(stream: Stream[F], start: int) -> list[F]:
    """Return what is read by somebody who wants nothing of before a time."""
    within = stream.origin.within
    assert within is not None
    return cast("list[F]", list(stream_of(within(start)).blocking()))


def numbers(rate_hz: float = 1000.0, duration_us: int = 20_000, seed: int = 0) -> Drawn[Frame]:
    """Frames whose first pixel is their number; the others are random."""

    def draw(first: int, count: int) -> Picture:
        assert first % BLOCK == 0
        bits = dice(seed, first, (count, SENSOR.height, SENSOR.width), np.uint16)
        pictures = bits.astype(np.float32)
        pictures[:, 0, 0] = np.arange(first, first + count)
        return pictures

    return Drawn("numbers", draw, frame_of(SENSOR), BLOCK, rate_hz, duration_us)


def test_frames_come_at_their_rate() -> None:
    frames = list(numbers().stream().blocking())
    assert [frame.span for frame in frames] == [
        Span(start, start + 1000) for start in range(0, 20_000, 1000)
    ]
    assert [frame.array[0, 0] for frame in frames] == [*range(20)]
    assert {(frame.mode, frame.sensor) for frame in frames} == {("intensity", SENSOR)}


def test_odd_rates_keep_time() -> None:
    frames = list(numbers(29.97, 10_000_000).stream().blocking())
    assert len(frames) == 300  # the last begins at 9.976643 s
    assert [frame.span.start for frame in frames[:3]] == [0, 33367, 66733]
    assert frames[299].span.start == 9_976_643
    assert all(one.span.stop == next.span.start for one, next in pairwise(frames))


@pytest.mark.parametrize(("duration_us", "count"), [(1, 1), (1000, 1), (1001, 2), (7999, 8)])
def test_all_frames_that_begin_in_the_duration_come(duration_us: int, count: int) -> None:
    assert len(list(numbers(duration_us=duration_us).stream().blocking())) == count


def test_without_a_duration_there_is_no_end_and_yet_it_is_not_live() -> None:
    stream = numbers(duration_us=0).stream()
    assert (stream.endless, stream.origin.live) == (True, False)
    frames = list(islice(stream.blocking(), 100))
    assert [frame.array[0, 0] for frame in frames] == [*range(100)]


@pytest.mark.parametrize("start", [0, 1, 999, 1000, 7_500, 8_000, 19_999])
def test_reading_from_the_middle_gives_the_same_frames(start: int) -> None:
    found = late(numbers(seed=3).stream(), start)
    expected = [one for one in numbers(seed=3).frames() if one.span.stop > start]
    assert [one.span for one in found] == [one.span for one in expected]
    assert all((one.array == other.array).all() for one, other in zip(found, expected, strict=True))


def test_behind_the_end_there_is_nothing() -> None:
    assert late(numbers().stream(), 20_000) == []


def test_a_shorter_stream_is_the_beginning_of_a_longer_one() -> None:
    short = [one.array for one in numbers(duration_us=11_000).frames()]
    long = [one.array for one in islice(numbers(duration_us=0).frames(), 11)]
    assert all((one == other).all() for one, other in zip(short, long, strict=True))


async def test_it_reads_the_same_in_an_event_loop() -> None:
    found = await numbers().stream().stack()
    assert (found == np.stack([one.array for one in numbers().frames()])).all()


def test_blocks_are_of_a_size_that_caches_like() -> None:
    assert block_of(Sensor(28, 28)) == BLOCK_BYTES // (28 * 28 * 4)
    assert block_of(Sensor(1280, 720)) == 1


@pytest.mark.parametrize("sensor", [Sensor(), Sensor(4, 0), Sensor(70_000, 2)])
def test_a_sensor_needs_a_size(sensor: Sensor) -> None:
    with pytest.raises(ValueError, match="frames need a sensor size up to 65536"):
        block_of(sensor)


@pytest.mark.parametrize("rate_hz", [0, -1, 2e6, float("nan")])
def test_a_rate_is_one(rate_hz: float) -> None:
    with pytest.raises(ValueError, match="rate_hz is above 0"):
        numbers(rate_hz)


def test_a_duration_is_not_negative() -> None:
    with pytest.raises(ValueError, match="duration_us is 0"):
        numbers(duration_us=-1)


def test_a_seed_is_not_negative() -> None:
    with pytest.raises(ValueError, match="seed is a whole number from 0 on"):
        check_seed(-1)


def test_the_timing_of_options_has_defaults() -> None:
    assert timing({}) == {"rate_hz": 1000.0, "duration_us": 1_000_000}
    assert timing({"duration_us": 0}) == {"rate_hz": 1000.0, "duration_us": 0}


def numbers_of(frame: Frame) -> npt.NDArray[np.float64]:
    return frame.array.astype(np.float64)


@needs_convis
def test_processing_as_in_convis() -> None:
    """Its `ProcessingStream`: a function before a model, and one after it, of 4 and of 8 frames."""
    truth = arrays("processing")
    source: list[Picture] = list(truth["src"][0, 0])

    def draw(first: int, count: int) -> list[Picture]:
        return source[first : first + count]

    stream = Drawn("source", draw, frame_of(Sensor(6, 5)), 12, 1000.0, 12_000).stream()

    def pre(frame: Frame) -> Frame:
        return replace(frame, array=np.add(numbers_of(frame), 1))

    def model(frame: Frame) -> Frame:
        return replace(frame, array=np.multiply(numbers_of(frame), 3))

    def post(frame: Frame) -> Frame:
        return replace(frame, array=np.subtract(numbers_of(frame), 0.5))

    processed = stream.map(pre).map(model).map(post)
    found = np.stack([frame.array for frame in processed.blocking()])
    assert np.allclose(found[:4], truth["g0"][0, 0], rtol=1e-15)
    assert np.allclose(found[4:], truth["g1"][0, 0], rtol=1e-15)
