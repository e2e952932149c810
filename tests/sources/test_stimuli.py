"""Stimuli: what they show, as it is written down, and as convis has them where it is right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from aevents.sources import stimuli
from aevents.stream import Stream
from aevents.types import Frame, Sensor
from tests.convis import arrays
from tests.sources.test_drawn import late
from tests.truth import needs_convis

SENSOR = Sensor(16, 12)
ALL: dict[str, Callable[..., Stream[Frame]]] = {
    "random": stimuli.random,
    "grating": stimuli.grating,
    "bar": stimuli.bar,
    "checkers": stimuli.checkers,
    "chirp": stimuli.chirp,
    "pulses": stimuli.pulses,
}


def shown(stream: Stream[Frame], count: int | None = None) -> npt.NDArray[np.float32]:
    """Return the pictures of a stream."""
    pictures = [frame.array for frame in islice(stream.blocking(), count)]
    return cast("npt.NDArray[np.float32]", np.stack(pictures))


@pytest.mark.parametrize("name", ALL)
def test_a_stimulus_is_float32_from_low_to_high(name: str) -> None:
    stream = ALL[name](SENSOR, low=-1.0, high=3.0, rate_hz=50, duration_us=12_000_000)
    pictures = shown(stream)
    assert pictures.shape == (600, 12, 16)
    assert pictures.dtype == np.float32
    assert -1 <= pictures.min() < -0.9
    assert 2.9 < pictures.max() <= 3
    assert {frame.mode for frame in stream.blocking()} == {"intensity"}


@pytest.mark.parametrize("period_px", [3.1, 4.0, 7.7, 16.0])
def test_rounding_makes_nothing_darker_than_dark(period_px: float) -> None:
    pictures = shown(stimuli.grating(SENSOR, period_px=period_px, hz=13, direction_deg=17))
    assert pictures.min() >= 0
    assert pictures.max() <= 255


@pytest.mark.parametrize("name", ALL)
def test_a_stimulus_is_the_same_from_any_time_on(name: str) -> None:
    stream = ALL[name](SENSOR, duration_us=700_000)
    found = late(stream, 654_321)
    expected = [frame for frame in stream.blocking() if frame.span.stop > 654_321]
    assert [frame.span for frame in found] == [frame.span for frame in expected]
    assert all((one.array == two.array).all() for one, two in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", ALL)
def test_a_picture_cannot_be_changed(name: str) -> None:
    frame = next(ALL[name](SENSOR).blocking())
    with pytest.raises(ValueError, match="read-only"):
        frame.array[0, 0] = 1


async def test_a_stimulus_goes_on_for_ever() -> None:
    stream = stimuli.grating(SENSOR, duration_us=0)
    with pytest.raises(ValueError, match="no end"):
        await stream.to_list()
    assert len(await stream.take(2_000).to_list()) == 2_000


def test_noise_depends_on_its_seed_alone() -> None:
    one, same, other = (shown(stimuli.random(SENSOR, seed=seed), 9) for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).any()


def test_noise_is_uniform_and_not_correlated() -> None:
    pictures = shown(stimuli.random(Sensor(50, 40), low=10, high=13)).astype(np.float64)
    assert abs(pictures.mean() - 11.5) < 0.005
    assert abs(pictures.std() - 3 / 12**0.5) < 0.005
    for one, other in (
        (pictures[1:], pictures[:-1]),
        (pictures[:, 1:], pictures[:, :-1]),
        (pictures[:, :, 1:], pictures[:, :, :-1]),
    ):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.005


def test_noise_of_squares_has_squares_from_the_corner_on() -> None:
    picture = shown(stimuli.random(Sensor(13, 12), size_px=5), 1)[0]
    small = picture[::5, ::5]
    assert (picture == small.repeat(5, 0).repeat(5, 1)[:12, :13]).all()
    assert len(np.unique(picture)) == 9


def test_a_grating_is_the_sine_that_it_says() -> None:
    pictures = shown(
        stimuli.grating(
            Sensor(5, 3), period_px=8, hz=2, direction_deg=90, rate_hz=16, low=-1, high=1
        ),
        9,
    )
    y, t = np.arange(3) - 1, np.arange(9) / 16
    expected = np.sin(2 * np.pi * (y / 8 - 2 * t[:, None]))
    assert np.allclose(pictures, expected[:, :, None], atol=1e-6)


def test_a_grating_moves_where_it_says() -> None:
    still, later = shown(
        stimuli.grating(Sensor(64, 1), period_px=16, hz=1, rate_hz=16, duration_us=0), 2
    )
    assert np.allclose(later[0, 1:], still[0, :-1], atol=1e-3)  # a 16th of a period: one pixel
    still, later = shown(
        stimuli.grating(Sensor(64, 1), period_px=16, hz=-1, rate_hz=16, duration_us=0), 2
    )
    assert np.allclose(later[0, :-1], still[0, 1:], atol=1e-3)


def test_a_bar_comes_in_crosses_and_comes_again() -> None:
    stream = stimuli.bar(
        Sensor(6, 2), width_px=2, speed_px_s=1000, edge_px=0, high=1, rate_hz=1000, duration_us=0
    )
    rows = shown(stream, 17)[:, 0]
    assert not rows[0].any()  # it stands before the edge
    assert rows[1].tolist() == [1, 0, 0, 0, 0, 0]
    assert rows[2].tolist() == [1, 1, 0, 0, 0, 0]
    assert rows[4].tolist() == [0, 0, 1, 1, 0, 0]
    assert rows[7].tolist() == [0, 0, 0, 0, 0, 1]
    assert not rows[8].any()
    assert (rows[9:17] == rows[1:9]).all()


def test_soft_edges_show_parts_of_a_pixel() -> None:
    stream = stimuli.bar(Sensor(8, 1), width_px=2, speed_px_s=1000, edge_px=1, high=1, rate_hz=4000)
    pictures = shown(stream, 44)[:, 0]
    inside = pictures[14:30].sum(axis=1)
    assert np.allclose(inside, 2, atol=1e-5)  # as much light wherever it is
    assert len(np.unique(pictures.round(4))) == 5  # a quarter of a pixel a frame


def test_a_bar_moves_down() -> None:
    stream = stimuli.bar(
        Sensor(2, 6), width_px=1, speed_px_s=1000, edge_px=0, direction_deg=90, high=1
    )
    columns = shown(stream, 7)[:, :, 0]
    assert [np.flatnonzero(column).tolist() for column in columns] == [
        [], [0], [1], [2], [3], [4], [5]
    ]  # fmt: skip


def test_checkers_are_a_board_that_moves() -> None:
    stream = stimuli.checkers(
        Sensor(8, 6), size_px=2, speed_px_s=1000, edge_px=0, low=0, high=1, rate_hz=1000
    )
    pictures = shown(stream, 5)
    y, x = np.indices((6, 8))
    board = (x // 2 + (y + 1) // 2) % 2  # the centre is a corner: 4 columns are even, 3 rows odd
    assert (pictures[0] == board).all() or (pictures[0] == 1 - board).all()
    assert (pictures[1][:, 1:] == pictures[0][:, :-1]).all()
    assert (pictures[2] == 1 - pictures[0]).all()
    assert (pictures[4] == pictures[0]).all()


def test_soft_checkers_are_hard_away_from_their_edges() -> None:
    hard, soft = (
        shown(stimuli.checkers(Sensor(40, 40), size_px=8, speed_px_s=0, edge_px=edge), 1)[0]
        for edge in (0, 2)
    )
    differ = hard != soft
    assert differ.any()
    assert set(np.flatnonzero(differ.all(axis=0)) % 8) == set(np.flatnonzero(differ.all(1)) % 8)
    assert set(np.unique(soft[~differ])) == {0, 255}


def test_a_chirp_has_its_sections() -> None:
    stream = stimuli.chirp(
        SENSOR, rest_us=10_000, sweep_us=40_000, ramp_hz=100, sweep_hz=(25, 75), low=-1, high=1
    )
    pictures = shown(stream)
    light = pictures[:, 0, 0]
    assert (pictures == light[:, None, None]).all()
    assert len(light) == 5 * 10 + 2 * 40
    assert not light[:10].any()
    assert (light[10:20] == 1).all()
    t = np.arange(40) / 1000
    assert np.allclose(light[30:70], t / 0.04 * np.sin(2 * np.pi * 100 * t), atol=1e-6)
    assert np.allclose(
        light[80:120], np.sin(2 * np.pi * (25 * t + 50 * t**2 / (2 * 0.04))), atol=1e-6
    )
    for rest in (light[20:30], light[70:80], light[120:]):
        assert not rest.any()


def test_pulses_are_on_first() -> None:
    stream = stimuli.pulses(SENSOR, period_us=5_000, pulse_us=2_000, high=1)
    light = shown(stream, 11)[:, 3, 3]
    assert light.tolist() == [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1]


WRONG = [
    (stimuli.random, {"size_px": 0}, "size_px is a whole number"),
    (stimuli.random, {"size_px": 1.5}, "size_px is a whole number"),
    (stimuli.random, {"seed": -1}, "seed is a whole number"),
    (stimuli.random, {"low": float("nan")}, "low is a finite number"),
    (stimuli.grating, {"period_px": 0}, "period_px is a finite number above 0"),
    (stimuli.grating, {"hz": float("inf")}, "hz is a finite number"),
    (stimuli.bar, {"width_px": -1}, "width_px is a finite number above 0"),
    (stimuli.bar, {"speed_px_s": 0}, "speed_px_s is a finite number above 0"),
    (stimuli.bar, {"edge_px": -1}, "edge_px is a finite number of 0 or more"),
    (stimuli.bar, {"direction_deg": float("nan")}, "direction_deg is a finite number"),
    (stimuli.checkers, {"speed_px_s": -1}, "speed_px_s is a finite number of 0 or more"),
    (stimuli.chirp, {"sweep_us": 0}, "sweep_us is a finite number above 0"),
    (stimuli.chirp, {"sweep_hz": (-1, 2)}, "slow_hz is a finite number of 0 or more"),
    (stimuli.pulses, {"period_us": 0}, "period_us is a finite number above 0"),
    (stimuli.pulses, {"pulse_us": 300_000}, "pulse_us is from 0 to period_us"),
    (stimuli.pulses, {"rate_hz": 0}, "rate_hz is above 0"),
    (stimuli.pulses, {"sensor": Sensor()}, "frames need a sensor size"),
]


@pytest.mark.parametrize(("make", "options", "message"), WRONG)
def test_wrong_numbers_are_refused_at_once(
    make: Callable[..., Stream[Frame]], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(**options)


# -- convis, whose arrays are (t, rows, columns) -------------------------------------------------


@needs_convis
def test_base_as_in_convis() -> None:
    """Its `Stream`, the base of all, shows nothing, for 1 ms a frame."""
    truth = arrays("stream_base")
    frames = list(stimuli.pulses(Sensor(50, 50), pulse_us=0, duration_us=3_000).blocking())
    assert (np.stack([frame.array for frame in frames]) == truth["get3"]).all()
    assert frames[-1].span.stop == pytest.approx(1e6 * truth["t"])


@needs_convis
def test_random_as_in_convis() -> None:
    """Other numbers, of the same distribution: it draws them from 10 to 13."""
    truth = arrays("random")["get7"]
    ours = shown(stimuli.random(Sensor(5, 4), low=10, high=13), 7)
    assert ours.shape == truth.shape
    steps = np.linspace(10, 13, 61)
    one, other = (
        np.searchsorted(np.sort(some.ravel()), steps) / some.size for some in (truth, ours)
    )
    assert np.abs(one - other).max() < 1.95 * (2 / truth.size) ** 0.5  # Kolmogorov-Smirnov, 0.1%


@needs_convis
def test_moving_grating_as_in_convis() -> None:
    truth = arrays("samples")["moving_grating"]  # sin(vt T + vx X + vy Y), of vt=1/200, vx=3, vy=2
    across, down = 2 / 4, 3 / 3.5  # radians a pixel: Y goes from -1 to 1 over 9, X over 8
    turns = -50 / 49 / 200 / (2 * np.pi)  # T goes from 0 to 50 in 50 steps, towards the left
    ours = stimuli.grating(
        Sensor(9, 8),
        period_px=2 * np.pi / np.hypot(across, down),
        direction_deg=np.degrees(np.arctan2(down, across)),
        hz=1000 * turns,
        low=-1,
        high=1,
    )
    assert np.allclose(shown(ours, 50), truth, atol=2e-6)


@needs_convis
def test_sharp_moving_bar_as_in_convis() -> None:
    """What its pixels show is a bar 1.91 px wide at 304 px/s towards the upper right."""
    truth = arrays("samples")["moving_bar_sharp"]
    speed, width, direction = 304.46492595902874, 1.9079729388377855, -43.09796605158299
    ours = stimuli.bar(
        Sensor(11, 10),
        width_px=width,
        speed_px_s=speed,
        direction_deg=direction,
        edge_px=0,
        high=1,
        rate_hz=100_000,
    )
    angle = np.radians(direction)
    way = 11 * abs(np.cos(angle)) + 10 * abs(np.sin(angle)) + width
    early = round(100_000 * way / 2 / speed - 1716.42)  # its centre is in the middle at 17 ms
    assert (shown(ours, early + 4_500)[early::100] == truth[:45]).all()
    assert not truth[46:66].any()  # convis waits for a while before it begins again


@needs_convis
def test_soft_moving_bar_as_in_convis() -> None:
    """A hard bar of a column, 9.65 ms in each, blurred over time by a Gaussian of 1 ms."""
    truth = arrays("samples")["moving_bar"]
    stream = stimuli.bar(
        Sensor(11, 10), width_px=1, speed_px_s=1000 / 9.65, edge_px=0, high=1, rate_hz=100_000
    )
    early = round(1.5 * 965) - 690  # it leaves the first column after 6.9 ms
    hard = shown(stream, early + 8_000)[early::100].astype(np.float64)
    kernel = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    kernel /= kernel.sum()
    blurred = np.zeros_like(hard[:72])
    for at, weight in enumerate(kernel):
        blurred += weight * hard[at : at + 72]
    assert np.allclose(blurred, truth[4:76], atol=1e-6)


@needs_convis
def test_checkers_as_in_convis() -> None:
    """Its "random checkers" are noise of squares, each frame anew, from the corner on."""
    truth = arrays("samples")["checker_seed0"]
    ours = shown(stimuli.random(Sensor(13, 12), size_px=5, high=1), 20)
    assert ours.shape == truth.shape
    for pictures in (truth, ours):
        edges = [np.flatnonzero((np.diff(pictures, axis=axis) != 0).any((0, 3 - axis)))
                 for axis in (1, 2)]  # fmt: skip
        assert [list(one) for one in edges] == [[4, 9], [4, 9]]
        assert (np.diff(pictures, axis=0) != 0).all()
        assert pictures.min() >= 0
        assert pictures.max() < 1
    assert abs(truth.mean() - ours.mean()) < 0.1


@needs_convis
def test_sparse_input_as_in_convis() -> None:
    """Spikes at random, one in ten."""
    truth = arrays("samples")["sparse_seed0"]
    ours = shown(stimuli.random(Sensor(7, 6), high=1), 50) < 0.1
    assert truth.shape == ours.shape
    assert abs(truth.mean() - 0.1) < 0.02
    assert abs(ours.mean() - 0.1) < 0.02


@needs_convis
def test_pulse_as_in_convis() -> None:
    truth = arrays("samples")["pulse"]
    stream = stimuli.pulses(Sensor(4, 3), period_us=20_000, pulse_us=10_000, high=1)
    assert (shown(stream, 50) == truth).all()


@needs_convis
def test_chirp_as_in_convis() -> None:
    """Its ramp reaches the full contrast a frame too early (`linspace`); the frequency of its sweep
    rises to 20 Hz, where it was to rise to 10, since it is multiplied by the time, not integrated.
    """
    truth = arrays("samples")["chirp"]
    slow, rise = 0.02 / 0.2, 2 * 1.98 / 0.199
    stream = stimuli.chirp(
        Sensor(1, 1),
        rest_us=100_000,
        sweep_us=200_000,
        ramp_hz=5,
        sweep_hz=(slow, slow + rise),
        low=-1,
        high=1,
    )
    ours = shown(stream)[:, 0, 0]
    assert len(ours) == len(truth) == 900
    assert np.allclose(ours[:300], truth[:300], atol=1e-7)
    assert np.allclose(ours[300:500] * 200 / 199, truth[300:500], atol=1e-6)
    assert np.allclose(ours[500:], truth[500:], atol=1e-6)
