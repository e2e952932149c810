"""Events from pictures: against what v2e really gave, against ESIM's equations, and by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

import aevents
from aevents._contracts import Origin
from aevents.operators import simulate
from aevents.operators.simulate import Events, LabelledEvents, Model, Moments
from aevents.stream import stream_of
from aevents.types import EventBatch, Frame, Sensor, Span
from tests.truth import CONVIS

Picture = np.ndarray[Any, Any]
HERE = pytest.mark.skipif(not CONVIS.exists(), reason="no truth of v2e here")
MS = 1000
PICOSECONDS = 10**6
"""In a microsecond: v2e's times are told apart only by parts of one."""


def frame(picture: Picture, t: int) -> Frame:
    return Frame(picture, Span(t, t + MS), Sensor(name="eye"), "intensity")


def made(
    operator: Events, pictures: Iterable[Picture], *, start: int = 0, step: int = MS
) -> list[EventBatch]:
    batches: list[EventBatch] = []
    for k, picture in enumerate(pictures):
        batches += operator.feed(frame(picture, start + k * step))
    assert operator.flush() == ()
    return batches


def events_of(operator: Events, pictures: Iterable[Picture], **times: int) -> EventBatch:
    return EventBatch.concat(made(operator, pictures, **times))


def moving(count: int, height: int = 24, width: int = 32, seed: int = 0) -> list[Picture]:
    """Return pictures of a pattern that moves."""
    base = np.random.default_rng(seed).integers(0, 256, (height, width + 2 * count))
    smooth = (base + np.roll(base, 1, 1) + np.roll(base, 2, 1) + np.roll(base, 3, 1)) // 4
    return [smooth[:, 2 * k : 2 * k + width].astype(np.uint8) for k in range(count)]


# -- v2e ----------------------------------------------------------------------------------------


class InTimesOfV2e(Events):
    """With times in ps, and on v2e's grid to the bit: float32, in seconds. In pictures that are as
    far apart as a pixel rests, it is their rounding that says whether it still does.
    """

    def _moments(
        self, start: int, interval: int, steps: int
    ) -> np.ndarray[Any, np.dtype[np.uint32]]:
        begin, length = start / 1e12, interval / 1e12
        grid = linspace(begin + length / steps, begin + length, steps)
        return np.clip(np.round((grid - begin) * 1e12), 1, interval).astype(np.uint32)


def linspace(first: float, last: float, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what torch.linspace gives, float32: from both ends."""
    one, two, k = np.float32(first), np.float32(last), np.arange(count)
    step = (two - one) / np.float32(max(count - 1, 1))
    rising = one + step * k.astype(np.float32)
    falling = two - step * (count - 1 - k).astype(np.float32)
    return np.where((k < count // 2) & (count > 1), rising, falling).astype(np.float64)


@HERE
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("ideal", 0.0013),  # floats meet thresholds that are all the same: rounding decides
        ("asym", 0.0004),
        ("mismatch", 0),
        ("cutoff300", 0),
        ("refr05", 0),
        ("all_det", 0),
    ],
)
def test_counts_of_each_pixel_are_those_of_v2e(name: str, most: float) -> None:
    truth = np.load(CONVIS / "v2e_deterministic.npz")
    asked = json.loads((CONVIS / "v2e_deterministic.json").read_text())[name]["cfg"]
    theirs = truth[f"ev_{name}"]
    operator = InTimesOfV2e(
        times="grid",
        preset="ideal",
        thresholds=(truth[f"pos_{name}"], truth[f"neg_{name}"]) if f"pos_{name}" in truth else None,
        on=asked["pos_thres"],
        off=asked["neg_thres"],
        cutoff_hz=asked["cutoff_hz"] / PICOSECONDS,
        leak_hz=asked["leak_rate_hz"] / PICOSECONDS,
        refractory_us=max(round(float(np.float32(asked["refractory_period_s"])) * 1e12) - 1, 0),
    )
    events = events_of(operator, truth["frames"], step=MS * PICOSECONDS)
    counts = np.zeros((2, 2, *truth["frames"].shape[1:]), np.int64)
    np.add.at(counts[0], (events.p.astype(int), events.y, events.x), 1)
    t, x, y, p = theirs.T
    np.add.at(counts[1], ((p > 0).astype(int), y.astype(int), x.astype(int)), 1)
    assert np.abs(counts[0] - counts[1]).sum() <= most * len(theirs)
    if not most:  # then times are the same, too
        assert np.abs(events.t / 1e12 - np.sort(t)).max() < 1e-8


@HERE
@pytest.mark.parametrize("name", ["ideal", "asym", "mismatch", "cutoff300"])
def test_times_of_crossings_change_no_count(name: str) -> None:
    truth = np.load(CONVIS / "v2e_deterministic.npz")
    asked = json.loads((CONVIS / "v2e_deterministic.json").read_text())[name]["cfg"]
    thresholds = (truth[f"pos_{name}"], truth[f"neg_{name}"]) if f"pos_{name}" in truth else None
    operator = Events(
        preset="ideal",
        thresholds=thresholds,
        on=asked["pos_thres"],
        off=asked["neg_thres"],
        cutoff_hz=asked["cutoff_hz"],
    )
    events = events_of(operator, truth["frames"])
    assert len(events) == pytest.approx(len(truth[f"ev_{name}"]), rel=1e-3)


class Noise(NamedTuple):
    """What noise comes to, of both polarities: as in v2e_noise_stats.json."""

    rate_on: float
    rate_off: float
    isi_on_mean: float
    isi_on_cv: float
    perpix_on_cv: float


SIDE = 64
RAMP = np.tile(np.round(np.linspace(0, 255, SIDE)).astype(np.uint8), (SIDE, 1))
GRAY = np.full((SIDE, SIDE), 128, np.uint8)
SECONDS = 3


def noise_of(events: EventBatch) -> Noise:
    time, pixel = SECONDS - 1e-3, events.y.astype(np.int64) * SIDE + events.x
    counts = [np.bincount(pixel[events.p == sign], minlength=SIDE * SIDE) for sign in (1, 0)]
    order = np.lexsort((events.t[events.p], pixel[events.p]))
    at, where = events.t[events.p][order] / 1e6, pixel[events.p][order]
    gaps = np.diff(at)[np.diff(where) == 0]
    return Noise(
        counts[0].mean() / time,
        counts[1].mean() / time,
        gaps.mean(),
        gaps.std() / gaps.mean(),
        counts[0].std() / counts[0].mean(),
    )


@HERE
@pytest.mark.parametrize("times", ["grid", "crossing"])
@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("shot5_ramp_sigma0", RAMP),
        ("shot5_ramp_sigma03", RAMP),
        ("leak2_nojit", GRAY),
        ("leak2_jit_cov", GRAY),
        ("leak2_jit_cov_sigma03", GRAY),
        ("noisy_preset", RAMP),
        ("prnoise5_cut100_ramp", RAMP),
    ],
)
def test_noise_comes_to_what_that_of_v2e_comes_to(
    name: str, scene: Picture, times: Moments
) -> None:
    truth = json.loads((CONVIS / "v2e_noise_stats.json").read_text())[name]
    asked = truth["cfg"]
    operator = Events(
        times=times,
        seed=2,
        spread=asked["sigma_thres"],
        cutoff_hz=asked["cutoff_hz"],
        leak_hz=asked["leak_rate_hz"],
        shot_hz=asked["shot_noise_rate_hz"],
        leak_jitter=asked["leak_jitter_fraction"],
        rate_spread=asked["noise_rate_cov_decades"],
        refractory_us=0,
        photoreceptor_noise=asked.get("photoreceptor_noise", False),
    )
    found = noise_of(events_of(operator, [scene] * (SECONDS * 1000)))
    for what, value in found._asdict().items():
        assert value == pytest.approx(truth[what], rel=0.05, abs=0.01), what


def test_noise_of_the_photoreceptor_is_the_same_for_dark_and_light() -> None:
    options: dict[str, Any] = {"preset": "ideal", "shot_hz": 20, "cutoff_hz": 100, "seed": 1}
    pictures = [np.tile(RAMP, (4, 1))] * 1001
    events = events_of(Events(photoreceptor_noise=True, **options), pictures)
    dark, light = (np.count_nonzero((events.x < SIDE // 2) == side) for side in (True, False))
    assert dark == pytest.approx(light, rel=0.05)
    assert events.p.mean() == pytest.approx(0.5, abs=0.01)
    shot = events_of(Events(**options), pictures)
    assert np.count_nonzero(shot.x < SIDE // 2) > 1.5 * np.count_nonzero(shot.x >= SIDE // 2)


def test_in_pictures_that_are_close_enough_noise_is_as_frequent_as_asked() -> None:
    operator = Events(preset="ideal", shot_hz=20, cutoff_hz=100, photoreceptor_noise=True)
    events = events_of(operator, [GRAY] * 5001, step=50)
    assert len(events) / (SIDE * SIDE * 0.25) == pytest.approx(20, rel=0.2)


def test_noise_of_pictures_that_are_far_apart_is_white() -> None:
    options: dict[str, Any] = {"preset": "ideal", "shot_hz": 20, "cutoff_hz": 100}
    counts = [
        len(events_of(Events(photoreceptor_noise=True, **options), [GRAY] * 200, step=step))
        for step in (2 * MS, 200 * MS)
    ]
    assert counts[0] == counts[1] > 100


def test_shot_noise_falls_with_the_light_as_the_formula_says() -> None:
    wide = np.tile(RAMP, (4, 1))
    events = events_of(Events(preset="ideal", shot_hz=5, seed=1), [wide] * 751, step=4 * MS)
    for first in range(0, SIDE, 8):
        chance = 2.5 * (1 - 0.75 * (RAMP[0, first : first + 8] + 20.0).mean() / 275)
        inside = (events.x >= first) & (events.x < first + 8)
        for sign in (True, False):
            rate = np.count_nonzero(inside & (events.p == sign)) / (4 * SIDE * 8 * SECONDS)
            assert rate == pytest.approx(chance, rel=0.05)


def test_pixels_leak_at_their_rate() -> None:
    events = events_of(Events(preset="ideal", leak_hz=2), [GRAY[:4, :4]] * 3000)
    times = np.unique(events.t)
    assert len(events) == 5 * 16
    np.testing.assert_allclose(times[:: len(times) // 5][:5], 500_000 * np.arange(1, 6), atol=20)


# -- ESIM ---------------------------------------------------------------------------------------


def equations_of_esim(
    pictures: Sequence[Picture], rest: float
) -> list[tuple[float, int, int, int]]:
    """Return the events that the equations of ESIM give, pixel by pixel, in doubles."""
    logs = [np.log(picture / 255 + 1e-3) for picture in pictures]
    events = []
    for y, x in np.ndindex(pictures[0].shape):
        level, last = logs[0][y, x], -np.inf
        for k in range(1, len(logs)):
            start, stop = logs[k - 1][y, x], logs[k][y, x]
            sign = 1 if stop > start else -1
            while sign * (level + sign * 0.2 - stop) <= 0 and start != stop:
                level += sign * 0.2
                t = (k - 1 + (level - start) / (stop - start)) * MS
                if t - last >= rest:
                    events.append((t, x, y, sign))
                    last = t
    return sorted(events)


def test_esim_is_its_equations() -> None:
    draw = np.random.default_rng(1)  # light that never comes back to the very same value
    pictures = [picture + draw.random(picture.shape) for picture in moving(12)]
    events = events_of(Events("esim"), pictures)
    expected = np.array(equations_of_esim(pictures, 0))
    assert len(events) == len(expected) > 3000
    order = np.lexsort((events.t, events.y, events.x))
    theirs = expected[np.lexsort((expected[:, 0], expected[:, 2], expected[:, 1]))]
    assert events.x[order].tolist() == theirs[:, 1].tolist()
    assert events.y[order].tolist() == theirs[:, 2].tolist()
    assert (events.p[order] == (theirs[:, 3] > 0)).all()
    assert np.abs(events.t[order] - theirs[:, 0]).max() < 1.1


def test_where_light_comes_back_to_a_threshold_rounding_decides() -> None:
    pictures = moving(12)
    expected = equations_of_esim(pictures, 0)
    assert len(events_of(Events("esim"), pictures)) == pytest.approx(len(expected), rel=1e-3)


def test_esim_forgets_what_falls_into_a_rest() -> None:
    pictures = moving(12)
    events = events_of(Events("esim", refractory_us=700), pictures)
    expected = equations_of_esim(pictures, 700)
    assert len(events) == pytest.approx(len(expected), rel=5e-3)  # ours are whole microseconds
    assert len(expected) < 0.8 * len(equations_of_esim(pictures, 0))


# -- what holds for all -------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["v2e", "esim"])
@pytest.mark.parametrize("times", ["crossing", "grid"])
@pytest.mark.parametrize("start", [0, 10**12, -(10**12)])
def test_times_start_where_the_pictures_do_and_are_in_order(
    model: Model, times: Moments, start: int
) -> None:
    batches = made(Events(model, times=times), moving(9), start=start)
    events = EventBatch.concat(batches)
    assert len(events) > 1000
    assert (np.diff(events.t) >= 0).all()
    assert (events.t.min() > start, events.t.max() <= start + 8 * MS) == (True, True)
    spans = [batch.span for batch in batches]
    assert spans == [Span(start, start + 1)] + [
        Span(start + k * MS + 1, start + (k + 1) * MS + 1) for k in range(8)
    ]
    for batch in batches:
        inside = (batch.t >= batch.span.start) & (batch.t < batch.span.stop)
        assert inside.all()


def test_the_same_stream_a_million_seconds_later_has_the_same_events() -> None:
    pictures = moving(6)
    here, late = (
        events_of(Events(preset="noisy", refractory_us=300), pictures, start=start)
        for start in (0, 10**12)
    )
    assert (late.t - 10**12).tolist() == here.t.tolist()
    assert (late.x.tolist(), late.p.tolist()) == (here.x.tolist(), here.p.tolist())


def test_the_same_seed_makes_the_same_events_whatever_else_runs() -> None:
    pictures = moving(6)
    options: dict[str, Any] = {"preset": "noisy", "shot_hz": 200}
    one = made(Events(seed=3, **options), pictures)
    beside, other = Events(seed=3, **options), Events(seed=4, **options)
    two: list[EventBatch] = []
    three: list[EventBatch] = []
    for k, picture in enumerate(pictures):
        two += beside.feed(frame(picture, k * MS))
        three += other.feed(frame(picture, k * MS))
    assert [np.asarray(batch).tolist() for batch in one] == [
        np.asarray(batch).tolist() for batch in two
    ]
    assert len(EventBatch.concat(two)) != len(EventBatch.concat(three))


def labels_of(
    pictures: Iterable[Picture],
    **options: Any,  # noqa: ANN401
) -> tuple[EventBatch, np.ndarray[Any, Any]]:
    operator = LabelledEvents(Events(**options))
    batches = [
        b for k, picture in enumerate(pictures) for b in operator.feed(frame(picture, k * MS))
    ]
    assert operator.flush() == ()
    assert [batch.span for batch in batches] == [batch.events.span for batch in batches]
    assert not any(batch.noise.flags.writeable for batch in batches)
    noise = np.concatenate([batch.noise for batch in batches])
    events = EventBatch.concat([batch.events for batch in batches])
    assert len(noise) == sum(map(len, batches)) == len(events)
    return events, noise


def test_noise_is_labelled() -> None:
    events, noise = labels_of(moving(5), preset="ideal")
    assert len(events) > 100
    assert not noise.any()
    events, noise = labels_of([GRAY] * 20, preset="ideal", shot_hz=100)
    assert len(events) > 1000
    assert noise.all()
    events, noise = labels_of(moving(20), preset="ideal", shot_hz=500)
    assert 0 < noise.mean() < 0.5
    assert (
        np.asarray(events).tolist()
        == np.asarray(events_of(Events(preset="ideal", shot_hz=500), moving(20))).tolist()
    )


def test_columns_are_read_only() -> None:
    events = made(Events(), moving(3))[-1]
    assert not any(getattr(events, name).flags.writeable for name in "txyp")


def test_intervals_of_many_events_come_in_several_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = moving(3)
    options: dict[str, Any] = {"preset": "noisy", "shot_hz": 500, "refractory_us": 200}
    whole = events_of(Events(**options), pictures)
    monkeypatch.setattr(simulate, "MOST_EVENTS", 90)
    batches = made(Events(**options), pictures)
    assert len(batches) > 5
    assert max(map(len, batches)) <= 90
    spans = [batch.span for batch in batches]
    assert all(one.stop == two.start for one, two in pairwise(spans))
    parts = EventBatch.concat(batches)
    assert np.asarray(parts).tolist() == np.asarray(whole).tolist()


def test_a_grid_of_one_time_comes_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "MOST_EVENTS", 10)
    flash = [np.full((8, 8), 100, np.uint8), np.full((8, 8), 125, np.uint8)]
    batches = made(Events(preset="ideal", times="grid"), flash)
    assert [len(batch) for batch in batches] == [0, 0, 64]
    assert batches[-1].span == Span(1000, 1001)


def test_two_pictures_are_enough() -> None:
    events = events_of(
        Events("esim"), [np.full((1, 1), 10, np.uint8), np.full((1, 1), 30, np.uint8)]
    )
    assert (len(events), events.p.sum()) == (5, 5)  # ln 3 = 1.0986, but for eps


def test_a_still_picture_that_jumps_to_and_fro_has_events_of_both_kinds() -> None:
    still = moving(1, 40, 60)[0]
    saccade = [still[:, k : k + 40] for k in (0, 1, 2, 3, 2, 1, 0)]
    events = events_of(Events(), saccade)
    assert 0.3 < events.p.mean() < 0.7


@pytest.mark.parametrize("model", ["v2e", "esim"])
def test_pictures_of_floats_are_those_of_bytes(model: Model) -> None:
    pictures = moving(6)
    bytes_, floats = (
        np.asarray(events_of(Events(model, preset="noisy"), of))
        for of in (pictures, [picture.astype(np.float64) for picture in pictures])
    )
    assert floats.tolist() == bytes_.tolist()


def test_long_intervals_have_fine_times() -> None:
    pictures = moving(4)
    events = events_of(Events("esim"), pictures, step=100_000_000)
    assert (np.diff(events.t) >= 0).all()
    assert len(np.unique(events.t)) > 0.8 * len(events)


def test_a_filtered_pixel_lags_behind_in_the_dark() -> None:
    step = [np.array([[10, 100]], np.uint8), *[np.array([[30, 250]], np.uint8)] * 50]
    events = events_of(Events(preset="ideal", cutoff_hz=30), step)
    first = [int(events.t[events.x == x][0]) for x in (0, 1)]
    assert first[0] > 2 * first[1]


async def test_a_stream_of_pictures_is_a_stream_of_events() -> None:
    frames = [frame(picture, k * MS) for k, picture in enumerate(moving(8))]
    video = stream_of(Origin("video", blocking=lambda: (one for one in frames)))
    events = await video.events(preset="noisy", seed=2, leak_hz=1).collect()
    expected = events_of(Events(preset="noisy", seed=2, leak_hz=1), moving(8))
    assert np.asarray(events).tolist() == np.asarray(expected).tolist()
    assert (events.sensor, events.span) == (Sensor(32, 24, "eye"), Span(0, 7001))
    first = await video.events("esim").filter(lambda batch: len(batch) > 0).first()
    assert isinstance(first, EventBatch)
    cut = video.events("esim").window(duration_us=2 * MS, origin_us=0)
    spans = [window.span for window in await cut.frames("signed").to_list()]
    assert spans[:3] == [Span(0, 2000), Span(2000, 4000), Span(4000, 6000)]
    with pytest.raises(ValueError, match="pixels have no speed"):
        video.events(speed=3)
    assert aevents.Events is Events


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "dvs"}, "a model is 'v2e' or 'esim', not 'dvs'"),
        ({"times": "any"}, "times are of the 'crossing' or on a 'grid', not 'any'"),
        ({"seed": -1}, "seed is a whole number from 0 on, not -1"),
    ],
)
def test_arguments_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Events(**options)


def test_pictures_that_do_not_follow() -> None:
    for later, message in (
        (frame(GRAY[:5], MS), r"pictures are \(64, 64\) as the first was, not \(5, 64\)"),
        (frame(GRAY, 0), "a picture comes 1 µs to 2\\^30 µs after the one before, not 0: at 0 µs"),
        (frame(GRAY, -MS), "not -1000"),
        (frame(GRAY, 1 << 30), "not 1073741824"),
    ):
        operator = Events()
        list(operator.feed(frame(GRAY, 0)))
        with pytest.raises(ValueError, match=message):
            list(operator.feed(later))
    with pytest.raises(ValueError, match="out of all time"):
        list(Events().feed(frame(GRAY, 1 << 61)))
    with pytest.raises(ValueError, match=r"thresholds are \(height, width\)"):
        list(Events(thresholds=(GRAY[0], GRAY[0])).feed(frame(GRAY, 0)))
