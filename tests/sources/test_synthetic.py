"""Synthetic scenes: where their events are, and that they are always the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
import numpy as np
import pytest

import aevents
from aevents.operators.gather import Gather
from aevents.sources.synthetic import moving_bar, open_url, poisson, rotating_disk
from aevents.stream import Stream, stream_of
from aevents.testing import assert_same_events, check_source
from aevents.types import EventBatch, Sensor, Span

SCENES = [moving_bar, rotating_disk, poisson]
Scene = Callable[..., Stream[EventBatch]]


def events(stream: Stream[EventBatch]) -> EventBatch:
    return next(stream.through(Gather).blocking())


@pytest.mark.parametrize("scene", SCENES)
async def test_a_scene_obeys_the_laws_of_sources(scene: Scene) -> None:
    stream = scene(duration_us=100_000)
    batches = await check_source(stream.origin)
    assert len(batches) == 7
    assert not stream.endless


@pytest.mark.parametrize("scene", SCENES)
def test_events_are_in_order_on_the_sensor_and_within_their_span(scene: Scene) -> None:
    reached = 0
    for batch in scene(Sensor(33, 17), rate=3e5, duration_us=200_000, seed=5).blocking():
        assert batch.sensor == Sensor(33, 17)
        assert batch.span.start == reached
        assert len(batch)
        assert batch.t[0] >= batch.span.start
        assert batch.t[-1] < batch.span.stop
        assert (np.diff(batch.t) >= 0).all()
        assert batch.x.max() < 33
        assert batch.y.max() < 17
        reached = batch.span.stop
    assert reached == 200_000


@pytest.mark.parametrize("scene", SCENES)
def test_a_longer_stream_begins_with_a_shorter_one(scene: Scene) -> None:
    long = events(scene(rate=2e5, duration_us=100_000))
    for duration_us in (1, 777, 16_384, 50_000):
        short = events(scene(rate=2e5, duration_us=duration_us))
        assert_same_events([short], [long.between(0, duration_us)])


@pytest.mark.parametrize("scene", SCENES)
def test_another_seed_makes_other_events(scene: Scene) -> None:
    one, other = (events(scene(rate=1e5, duration_us=10_000, seed=seed)) for seed in (1, 2))
    assert not np.array_equal(one.x[:900], other.x[:900])
    assert not np.array_equal(one.y[:900], other.y[:900])
    assert not np.array_equal(one.p[:900], other.p[:900])


@pytest.mark.parametrize("scene", [moving_bar, rotating_disk])
@pytest.mark.parametrize(
    ("rate", "duration_us", "count"),
    [
        (1e6, 1_000_000, 1_000_000),
        (1e6, 10_000, 10_000),
        (3e6, 7_001, 21_003),
        (5e7, 20_000, 1_000_000),
        (1e9, 200, 200_000),
        (100, 1_000_000, 100),
        (0.5, 4_000_000, 2),
    ],
)
def test_the_rate_is_exact(scene: Scene, rate: float, duration_us: int, count: int) -> None:
    batches = scene(Sensor(64, 48), rate=rate, duration_us=duration_us).blocking()
    assert sum(map(len, batches)) == count


def test_noise_is_a_poisson_process() -> None:
    noise = events(poisson(Sensor(20, 10), rate=1e6, duration_us=1_000_000))
    assert 996_000 < len(noise) < 1_004_000  # 4 standard deviations
    a_millisecond = np.bincount(noise.t // 1000)
    assert 0.8 < a_millisecond.var() / a_millisecond.mean() < 1.2
    a_pixel = np.bincount(noise.y.astype(int) * 20 + noise.x)
    assert 4_650 < a_pixel.min() <= a_pixel.max() < 5_350
    assert 0.497 < noise.p.mean() < 0.503


def test_the_bar_has_a_leading_edge_of_on_and_a_trailing_edge_of_off() -> None:
    bar = events(moving_bar(Sensor(80, 60), period_us=80_000, noise=0, duration_us=80_000))
    column = bar.t // 1000  # the bar crosses one column a millisecond
    behind = (column - bar.x.astype(int)) % 80
    assert set(behind[bar.p].tolist()) <= {0, 1, 79}
    assert set(behind[~bar.p].tolist()) <= {9, 10, 11}  # an eighth of the width
    assert (behind[bar.p] == 0).mean() > 0.99
    assert (behind[~bar.p] == 10).mean() > 0.99
    assert np.bincount(bar.y, minlength=60).min() > 1_000


def test_the_disk_turns_clockwise_and_its_two_edges_differ_in_polarity() -> None:
    sensor = Sensor(201, 101)
    disk = events(rotating_disk(sensor, period_us=400_000, noise=0, duration_us=400_000))
    x, y = disk.x - 100.0, disk.y - 50.0
    assert np.hypot(x, y).max() < 0.45 * 101 + 1
    right, below = slice(0, 5_000), slice(100_000, 105_000)  # a quarter of a turn later
    for part, along, across in ((right, x, y), (below, y, x)):
        on = disk.p[part]
        assert along[part][on].min() >= -1
        assert along[part][~on].max() <= 1
        assert np.abs(across[part]).max() < 6


@pytest.mark.parametrize(
    ("noise", "least", "most"),
    [(0, 0, 0), (0.02, 150, 250), (0.5, 4_850, 5_150), (1, 9_900, 10_000)],
)
def test_a_fraction_of_the_events_lies_anywhere(noise: float, least: int, most: int) -> None:
    bar = events(moving_bar(period_us=10**9, noise=noise, duration_us=10_000))
    on_the_edges = np.isin(bar.x, (0, 560))
    assert least <= np.count_nonzero(~on_the_edges) <= most


async def test_without_a_duration_it_has_no_end_and_says_so() -> None:
    stream = poisson(rate=1e4, duration_us=0)
    assert stream.endless
    with pytest.raises(ValueError, match="no end"):
        await stream.collect()
    assert [batch.span for batch in await stream.take(2).to_list()] == [
        Span(0, 16_384), Span(16_384, 32_768),
    ]  # fmt: skip


async def test_cancelling_an_endless_scene_leaves_it_at_once() -> None:
    count = 0
    with anyio.move_on_after(0.05) as scope:
        async for batch in moving_bar(duration_us=0):
            count += len(batch)
    assert scope.cancelled_caught
    assert count >= 0


def test_a_scene_so_slow_that_nothing_happens_still_moves_time() -> None:
    batches = list(moving_bar(rate=1e-3, duration_us=40_000).blocking())
    assert [(len(batch), batch.span) for batch in batches] == [
        (0, Span(0, 16_384)), (0, Span(16_384, 32_768)), (0, Span(32_768, 40_000)),
    ]  # fmt: skip


def test_a_url_is_the_function_with_its_options() -> None:
    url = "synthetic:bar?rate=2e5&size=64x48&duration_us=30000&seed=7&period_us=9000&noise=0.1"
    expected = moving_bar(
        Sensor(64, 48), rate=2e5, duration_us=30_000, seed=7, period_us=9_000, noise=0.1
    )
    assert_same_events([aevents.load(url)], [events(expected)])
    disk = rotating_disk(duration_us=5_000)
    assert_same_events([aevents.load("synthetic:disk?duration_us=5000")], [events(disk)])


def test_a_sensor_given_to_open_goes_before_the_size_in_the_url() -> None:
    batch = aevents.load("synthetic:poisson?size=9x9&duration_us=100", sensor=Sensor(5, 4))
    assert batch.sensor == Sensor(5, 4)
    assert aevents.load("synthetic:poisson", duration_us=100).sensor == Sensor(640, 480)


@pytest.mark.parametrize(
    ("rest", "options", "message"),
    [
        ("", {}, "no scene is called ''; known: bar, disk, poisson"),
        ("cube", {}, "no scene is called 'cube'; known: bar, disk, poisson"),
        ("bar", {"speed": "1"}, "synthetic:bar has no option 'speed'; known: rate, duration_us, "),
        ("poisson", {"period_us": "5"}, "has no option 'period_us'; known: .*seed, size"),
        ("bar", {"rate": "fast"}, "synthetic:bar: rate is float, not 'fast'"),
        ("bar", {"seed": "1.5"}, "synthetic:bar: seed is int, not '1.5'"),
        ("bar", {"size": "big"}, "WIDTHxHEIGHT"),
        ("bar", {"rate": "0"}, "above 0, not 0.0"),
        ("bar", {"rate": "inf"}, "above 0, not inf"),
    ],
)
def test_a_url_that_makes_no_sense_says_why(
    rest: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_url(rest, **options)  # type: ignore[arg-type]  # an option may be the size


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(poisson, rate=-1), "above 0, not -1"),
        (partial(poisson, duration_us=-1), "duration_us is 0 .no end. or more, not -1"),
        (partial(poisson, seed=-1), "seed is a whole number from 0 on, not -1"),
        (partial(poisson, Sensor()), "a sensor size up to 65536, not 0x0"),
        (partial(poisson, Sensor(70_000, 10)), "a sensor size up to 65536, not 70000x10"),
        (partial(moving_bar, period_us=0), "period_us is greater than zero, not 0"),
        (partial(rotating_disk, noise=1.5), "noise is a fraction from 0 to 1, not 1.5"),
    ],
)
def test_numbers_out_of_range_are_refused_at_once(
    make: Callable[[], Stream[EventBatch]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_largest_and_the_smallest_sensor_work() -> None:
    for scene in SCENES:
        for sensor in (Sensor(1, 1), Sensor(65_536, 65_536)):
            batch = events(scene(sensor, duration_us=5_000))
            assert batch.x.max() < sensor.width
            assert batch.y.max() < sensor.height


def test_the_origin_names_the_scene() -> None:
    assert stream_of(open_url("disk")).origin.name == "synthetic:disk"
