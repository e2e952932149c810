"""What pixels are like: numbers by name, and maps that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from aevents.operators.dvs import PRESETS, Dvs, draw_maps, dvs_of, noise_deviation

SHAPE = (300, 400)


def test_the_default_is_the_command_line_of_v2e() -> None:
    assert PRESETS["default"] == Dvs(
        on=0.2, off=0.2, spread=0.03, cutoff_hz=300, leak_hz=0.01, leak_jitter=0.1,
        shot_hz=0.001, rate_spread=0.1, refractory_us=500,
    )  # fmt: skip


def test_clean_and_noisy_are_those_of_v2e() -> None:
    ideal = Dvs(
        spread=0, cutoff_hz=0, leak_hz=0, leak_jitter=0, shot_hz=0, rate_spread=0, refractory_us=0
    )
    assert PRESETS["clean"] == replace(ideal, spread=0.02)
    assert PRESETS["ideal"] == ideal
    noisy = Dvs(spread=0.05, cutoff_hz=30, leak_hz=0.1, shot_hz=5, refractory_us=0)
    assert PRESETS["noisy"] == noisy


def test_numbers_can_be_changed_by_name() -> None:
    assert dvs_of("noisy", {"leak_hz": 2}).leak_hz == 2
    assert dvs_of("noisy", {"leak_hz": 2}).cutoff_hz == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"onn": 1}, "pixels have no onn; known: on, off, spread"),
        ({"on": 0.005}, "on is a number from 0.01 on, not 0.005"),
        ({"off": float("nan")}, "off is a number"),
        ({"shot_hz": -1}, "shot_hz is a number from 0 on"),
        ({"cutoff_hz": float("inf")}, "cutoff_hz is a number"),
        ({"refractory_us": 2**40}, "refractory_us is below 2\\^40"),
        ({"photoreceptor_noise": True, "shot_hz": 1}, "takes a shot_hz and a cutoff_hz above 0"),
        ({"photoreceptor_noise": True, "cutoff_hz": 1}, "takes a shot_hz and a cutoff_hz above 0"),
    ],
)
def test_numbers_that_are_none(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dvs_of("ideal", changes)


def test_a_preset_that_is_none() -> None:
    with pytest.raises(ValueError, match="a preset is one of default, ideal, clean, noisy"):
        dvs_of("dirty", {})  # type: ignore[arg-type]  # that is the point


def test_maps_are_drawn_as_the_numbers_say() -> None:
    maps = draw_maps(Dvs(on=0.3, leak_hz=2), SHAPE, 1)
    for plane, mean in ((maps.on, 0.3), (maps.off, 0.2)):
        assert plane.dtype == np.float32
        assert plane.mean() == pytest.approx(mean, rel=2e-3)
        assert plane.std() == pytest.approx(0.03, rel=0.01)
    assert np.corrcoef(maps.on.reshape(-1), maps.off.reshape(-1))[0, 1] == pytest.approx(
        0, abs=0.01
    )
    decades = np.log10(maps.leak / maps.on / 2)
    assert decades.mean() == pytest.approx(0, abs=2e-3)
    assert decades.std() == pytest.approx(0.1, rel=0.01)


def test_thresholds_are_never_below_a_hundredth() -> None:
    maps = draw_maps(Dvs(on=0.02, spread=0.05), SHAPE, 1)
    assert maps.on.min() == np.float32(0.01)


def test_the_same_seed_draws_the_same_maps() -> None:
    one, two, other = (draw_maps(Dvs(), (3, 4), seed) for seed in (1, 1, 2))
    assert one.on.tolist() == two.on.tolist() != other.on.tolist()


def test_without_spread_all_pixels_are_alike() -> None:
    maps = draw_maps(PRESETS["ideal"], (2, 3), 1)
    assert (maps.on == np.float32(0.2)).all()
    assert (maps.off == np.float32(0.2)).all()
    assert not maps.leak.any()


def test_thresholds_can_be_given() -> None:
    on, off = np.full((2, 3), 0.5), [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    maps = draw_maps(Dvs(leak_hz=1, rate_spread=0), (2, 3), 1, (on, off))
    assert (maps.on == 0.5).all()
    assert maps.off.tolist() == np.array(off, np.float32).tolist()
    assert maps.leak.tolist() == maps.on.tolist()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.full((3, 2), 0.2), r"thresholds are \(height, width\) \(2, 3\), not \(3, 2\)"),
        (np.full((2, 3), 0.009), "thresholds are 0.01 or more"),
        (np.full((2, 3), np.nan), "thresholds are 0.01 or more"),
        (np.full((2, 3), np.inf), "thresholds are 0.01 or more"),
    ],
)
def test_thresholds_that_are_none(
    bad: np.ndarray[tuple[int, int], np.dtype[np.float64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        draw_maps(Dvs(), (2, 3), 1, (np.full((2, 3), 0.2), bad))


def test_the_noise_is_such_that_it_crosses_as_often_as_asked() -> None:
    asked = Dvs(shot_hz=2, cutoff_hz=100, spread=0, photoreceptor_noise=True)  # x is -2
    maps = draw_maps(asked, SHAPE, 1, (np.full(SHAPE, 0.3), np.full(SHAPE, 0.2)))
    assert noise_deviation(asked, maps) == pytest.approx(0.2 / 10**0.5876, rel=1e-6)


def test_where_thresholds_differ_the_lower_of_each_pixel_counts() -> None:
    asked = Dvs(shot_hz=2, cutoff_hz=100, spread=0.03, photoreceptor_noise=True)
    lower = 0.2 - 0.03 / np.pi**0.5  # the mean of the lower of two normal numbers
    maps = draw_maps(asked, SHAPE, 1)
    assert noise_deviation(asked, maps) == pytest.approx(lower / 10**0.5876, rel=1e-3)
