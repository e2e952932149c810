"""Pixels that look at pictures: cases worked out by hand, C and twin alike, and to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins
from aevents._native.planes import BACK, FORGET, WAIT, Active, Timing

from ..kernels import COMPILED, implementation
from ..scenes import INTERVAL, TABLE, How, picture, pixels, simulated

if TYPE_CHECKING:
    from types import ModuleType

LEVELS = pytest.mark.parametrize("isa", COMPILED or [pytest.param("", marks=pytest.mark.skip)])
DARK = np.zeros((1, 2), np.uint8)
STEP = np.array([[0, 2]], np.uint8)  # ln 3 = 1.0986: four thresholds of 0.25
AT = [228, 456, 683, 911]  # the times of 0.25, 0.5, 0.75 and 1 on the way to ln 3, rounded up


def test_a_pixel_fires_when_it_crosses_its_thresholds(kernels: ModuleType) -> None:
    (t, x, y, p, noise), _ = simulated(kernels, pixels(1, 2), [DARK, STEP, STEP, DARK])
    down = [318, 545, 773, 1000]  # from 0.0986, which was left over
    assert t == [*(1000 + at for at in AT), *(3000 + at for at in down)]
    assert (set(x), set(y), set(noise)) == ({1}, {0}, {0})
    assert p == [1, 1, 1, 1, 0, 0, 0, 0]


def test_what_is_left_over_counts_the_next_time(kernels: ModuleType) -> None:
    of = pixels(1, 1)
    for light in (1, 2):  # ln 2 = 0.693: two; ln 3: two more, though only 0.405 was added
        (t, *_), _ = simulated(kernels, of, [np.array([[light]], np.uint8)])
        assert len(t) == 2
    assert of.excess[0, 0] == pytest.approx(np.log(3) - 1, abs=1e-6)


def test_on_a_grid_the_nth_event_of_any_pixel_has_the_nth_time(kernels: ModuleType) -> None:
    (t, *_), _ = simulated(kernels, pixels(1, 2), [STEP], How(grid=True))
    assert t == [200, 400, 600, 800]


@pytest.mark.parametrize(
    ("rule", "first", "left"),
    [(WAIT, [228, 728], 2), (BACK, [228, 911], 2), (FORGET, [228, 911], 0)],
)
def test_a_pixel_rests(kernels: ModuleType, rule: int, first: list[int], left: int) -> None:
    of = pixels(1, 2)
    (t, *_), _ = simulated(kernels, of, [STEP], How(rule, rest=500))
    assert t == first
    assert round(float(of.excess[0, 1]) / 0.25 - 0.39) == left
    assert of.last[0].tolist() == [-(2**62), first[-1]]


def test_what_waits_comes_as_soon_as_the_rest_is_over(kernels: ModuleType) -> None:
    (t, *_), _ = simulated(kernels, pixels(1, 2), [STEP, STEP, STEP], How(WAIT, rest=600))
    assert t == [228, 828, 1428, 2028]


def test_an_interval_may_be_dealt_with_in_pieces(kernels: ModuleType) -> None:
    for rule in (WAIT, BACK, FORGET):
        whole, _ = simulated(kernels, pixels(1, 2), [STEP, DARK], How(rule, rest=300))
        parts, _ = simulated(kernels, pixels(1, 2), [STEP, DARK], How(rule, 300, cuts=(228, 700)))
        assert parts == whole


def test_pixels_leak(kernels: ModuleType) -> None:
    (t, _, _, p, _), _ = simulated(kernels, pixels(1, 1, leak=250), [DARK[:, :1]] * 3)
    assert (t, p) == ([1000, 2000, 3000], [1, 1, 1])


def test_the_leak_jitters_by_the_given_share(kernels: ModuleType) -> None:
    of, sd = pixels(200, 200, leak=100), (4 * (256**2 - 1) / 12) ** 0.5
    kernels.see(of, picture(np.zeros((200, 200), np.uint8), How(jitter=0.1 / sd)), Active(40_000))
    assert float(of.excess.mean()) == pytest.approx(0.1, rel=2e-3)
    assert float(of.excess.std() / of.excess.mean()) == pytest.approx(0.1, rel=0.02)


def test_noise_of_the_photoreceptor_is_normal_and_fades_as_told(kernels: ModuleType) -> None:
    of, dark = pixels(300, 300), np.zeros((300, 300), np.uint8)
    levels = []
    for number in range(20):
        kernels.see(of, picture(dark, How(sigma=0.05), number), Active(90_000))
        np.testing.assert_allclose(of.excess, of.noise_level, atol=1e-6)
        levels.append(of.noise_level.reshape(-1).copy())
    before, last = levels[-2:]
    assert float(last.mean()) == pytest.approx(0, abs=2e-3)
    assert float(last.std()) == pytest.approx(0.05 / (0.25 * 1.75) ** 0.5, rel=0.02)
    assert np.corrcoef(before, last)[0, 1] == pytest.approx(0.75, abs=0.01)
    assert not of.level.any()


def test_a_low_pass_follows_slowly_and_the_slower_the_darker(kernels: ModuleType) -> None:
    of = pixels(1, 3)
    kernels.see(of, picture(np.array([[0, 80, 255]], np.uint8), How(passed=0.005)), Active(3))
    assert of.level[0].tolist() == pytest.approx([0, 0.5 * TABLE[80], TABLE[255]])


def test_noise_comes_as_often_as_told_on_both_sides_at_any_time(kernels: ModuleType) -> None:
    dark = np.zeros((300, 300), np.uint8)
    of = pixels(300, 300)
    of.excess[:] = 0.1
    (t, _, _, p, noise), _ = simulated(kernels, of, [dark], How(noise=0.02))
    assert len(t) == pytest.approx(2 * 0.02 * 0.95 * 90_000, rel=0.05)
    assert np.mean(p) == pytest.approx(0.5, abs=0.03)
    assert all(noise)
    assert np.mean(t) == pytest.approx(500, rel=0.05)
    assert (min(t) >= 1, max(t) <= INTERVAL) == (True, True)
    assert np.count_nonzero(of.excess == 0) == len(t)  # those begin anew


def test_noise_falls_with_the_light(kernels: ModuleType) -> None:
    light = np.full((300, 300), 180, np.uint8)
    of = pixels(300, 300)
    of.level[:] = TABLE[180]
    (t, *_), _ = simulated(kernels, of, [light], How(noise=0.02, grid=True))
    assert len(t) == pytest.approx(2 * 0.02 * 0.5 * 90_000, rel=0.05)
    assert set(t) == {INTERVAL}


def test_nobody_is_so_bright_that_a_count_overflows(kernels: ModuleType) -> None:
    of, active = pixels(1, 1, leak=3e38), Active(1)
    kernels.see(of, picture(DARK[:, :1]), active)
    assert active.crossed[0] == 1 << 20


@LEVELS
@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 40)),
    seed=st.integers(0, 1 << 30),
    how=st.builds(
        How,
        rule=st.sampled_from([BACK, WAIT, FORGET]),
        rest=st.sampled_from([0, 1, 300, 5000]),
        grid=st.booleans(),
        floats=st.booleans(),
        noise=st.sampled_from([0.0, 0.05]),
        jitter=st.sampled_from([0.0, 1e-3]),
        sigma=st.sampled_from([0.0, 0.2]),
        passed=st.sampled_from([0.0, 2e-3]),
        cuts=st.sampled_from([(), (400,), (1, 999)]),
    ),
    leak=st.sampled_from([0.0, 50.0]),
)
def test_c_does_to_the_bit_what_the_twin_does(
    isa: str, size: tuple[int, int], seed: int, how: How, leak: float
) -> None:
    draw = np.random.default_rng(seed)
    base = draw.integers(0, 256, size)
    pictures = [
        np.clip(base + draw.integers(-30, 30, size), 0, 255).astype(np.uint8) for _ in range(4)
    ]
    one, two = (pixels(*size, leak=leak, seed=seed) for _ in range(2))
    theirs = simulated(twins, one, pictures, how)
    assert simulated(implementation(isa), two, pictures, how) == theirs


def test_crossings_are_counted_before_they_are_dealt_with(kernels: ModuleType) -> None:
    of, active = pixels(1, 2), Active(2)
    kernels.see(of, picture(STEP), active)
    timing = Timing(0, INTERVAL)
    assert (active.n, active.most, active.steps) == (1, 4, 4)
    assert [kernels.crossings(of, active, timing, until) for until in (227, 228, 1000)] == [0, 1, 4]
    room = np.zeros(4, np.uint64)
    assert kernels.fire(of, active, timing, 0, 500, room) == 2
    assert kernels.crossings(of, active, timing, 1000) == 2


def test_too_little_room_is_refused(kernels: ModuleType) -> None:
    of, active = pixels(1, 2), Active(2)
    kernels.see(of, picture(STEP), active)
    with pytest.raises(ValueError, match="no room for all events: 3 places"):
        kernels.fire(of, active, Timing(0, INTERVAL), 0, INTERVAL, np.zeros(3, np.uint64))
