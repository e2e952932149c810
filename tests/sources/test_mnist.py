"""MNIST as frames: the walk, the spikes and the saccades, and those of convis."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import cast

import anyio.to_thread
import numpy as np
import numpy.typing as npt
import pytest

from aevents.sources import mnist
from aevents.sources.mnist import ADVANCE, DigitFrame, Digits
from aevents.stream import Stream
from aevents.types import Sensor, Span
from tests.convis import arrays
from tests.sources.test_drawn import late
from tests.truth import CONVIS, needs_convis

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
TEN = Digits(IMAGES, np.arange(10, dtype=np.uint8))
REQUESTS = 5, 3, 6, 7, 20, 1, 1, 1, 40
"""Frames that convis was asked for, one request after the other."""


def shown(frames: Iterable[DigitFrame], count: int | None = None) -> npt.NDArray[np.float32]:
    pictures = [frame.array for frame in islice(frames, count)]
    return cast("npt.NDArray[np.float32]", np.stack(pictures))


def test_digits_come_in_the_order_of_the_walk() -> None:
    frames = list(mnist.frames(TEN, init=2, advance=3, rep=2, duration_us=7_000).blocking())
    assert [frame.index for frame in frames] == [5, 5, 8, 8, 1, 1, 4]
    assert [frame.label for frame in frames] == [5, 5, 8, 8, 1, 1, 4]
    assert [frame.span for frame in frames[:2]] == [Span(0, 1000), Span(1000, 2000)]
    assert (frames[2].array == IMAGES[8].astype(np.float32)).all()  # 255 is white unless told
    assert {(one.sensor, one.mode) for one in frames} == {(Sensor(28, 28, "MNIST"), "intensity")}


def test_every_brightness_of_the_file_is_kept_exactly() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    (frame,) = mnist.frames(Digits(ramp, np.zeros(1, np.uint8)), duration_us=1).blocking()
    assert (frame.array == ramp[0]).all()


def test_the_walk_comes_to_all_digits_before_one_comes_again() -> None:
    digits = Digits(np.zeros((10_000, 1, 1), np.uint8), np.zeros(10_000, np.uint8))
    frames = mnist.frames(digits, rep=1, duration_us=10_000_000).blocking()
    indexes = [frame.index for frame in frames]
    assert len(set(indexes)) == 10_000
    assert indexes[:5] == [5529, 1058, 6587, 2116, 7645]


@pytest.mark.parametrize("start", [0, 1, 999, 6_999, 7_000, 123_456])
@pytest.mark.parametrize("name", ["frames", "spikes", "saccades"])
def test_any_time_can_be_begun_at(name: str, start: int) -> None:
    stream: Stream[DigitFrame] = getattr(mnist, name)(TEN, rep=6, duration_us=200_000)
    found = late(stream, start)
    expected = [frame for frame in stream.blocking() if frame.span.stop > start]
    assert [(one.span, one.label, one.index) for one in found] == [
        (one.span, one.label, one.index) for one in expected
    ]
    assert all((one.array == two.array).all() for one, two in zip(found, expected, strict=True))


async def test_the_walk_goes_on_for_ever_in_an_event_loop() -> None:
    frames = await mnist.frames(TEN, duration_us=0).take(500).to_list()
    assert [frame.label for frame in frames] == [frame.index for frame in frames]
    assert frames[499].index == 50 * ADVANCE % 10


def test_spikes_have_the_rate_of_the_brightness() -> None:
    ramp = np.linspace(0, 255, 256).astype(np.uint8).reshape(1, 16, 16)
    digits = Digits(ramp, np.zeros(1, np.uint8))
    frames = mnist.spikes(digits, peak_hz=500, seed=1, duration_us=4_000_000).blocking()
    spikes = shown(frames)
    assert spikes.dtype == np.bool_
    rate = spikes.mean(axis=0)
    expected = 0.5 * ramp[0] / 255
    sigma = np.sqrt(np.maximum(expected * (1 - expected), 1e-12) / 4000)
    assert (np.abs(rate - expected) < 5 * sigma + 1e-9).all()
    assert not spikes[:, ramp[0] == 0].any()


def test_full_brightness_can_spike_in_every_frame() -> None:
    white = Digits(np.full((1, 2, 2), 255, np.uint8), np.zeros(1, np.uint8))
    assert shown(mnist.spikes(white, peak_hz=1000).blocking()).all()
    assert not shown(mnist.spikes(white, peak_hz=0).blocking()).any()


def test_spikes_are_binary_frames_and_depend_on_their_seed() -> None:
    one, same, other = (shown(mnist.spikes(TEN, seed=seed).blocking()) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    frame = next(mnist.spikes(TEN).blocking())
    assert (frame.mode, frame.label) == ("binary", ADVANCE % 10)


def test_smooth_saccades_are_a_triangle_that_never_leaves_the_frame() -> None:
    dot = np.zeros((1, 28, 28), np.uint8)
    dot[0, 14, 14] = 200
    digits = Digits(dot, np.zeros(1, np.uint8))
    pictures = shown(mnist.saccades(digits, duration_us=600_000).blocking())
    assert pictures.shape == (600, 34, 34)
    y, x = np.indices((34, 34))
    light = pictures.sum(axis=(1, 2))
    assert np.allclose(light, 200, rtol=1e-5)
    places = np.stack([(pictures * one).sum(axis=(1, 2)) / light for one in (x, y)], 1) - 14
    corners = [(0, 0), (3, 6), (6, 0), (0, 0)]
    assert np.allclose(places[[0, 100, 200, 299]], corners, atol=1e-4)
    assert np.allclose(places[300:], places[:300], atol=1e-4)
    steps = np.hypot(*np.diff(places[:300], axis=0).T)
    assert steps.max() < 0.12  # no leap
    assert steps[[0, 98, 99, 100, 198, 199, 298]].max() < 0.01  # at rest in the corners


def test_saccades_of_convis_go_by_whole_pixels() -> None:
    dot = np.zeros((1, 28, 28), np.uint8)
    dot[0, 20, 18] = 200
    digits = Digits(dot, np.zeros(1, np.uint8))
    pictures = shown(mnist.saccades(digits, motion="convis", duration_us=300_000).blocking())
    assert set(np.unique(pictures)) == {0, 200}
    places = [np.argwhere(picture)[0].tolist() for picture in pictures]
    assert [places[at] for at in (0, 99, 199, 200, 299)] == [
        [27, 25], [6, 4], [27, 25], [27, 4], [27, 25]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("frames", {"rep": 0}, "rep is a number of frames from 1 on"),
        ("frames", {"rate_hz": 0}, "rate_hz is above 0"),
        ("spikes", {"peak_hz": 1001}, "peak_hz is from 0 to the rate of frames, 1000.0: 1001"),
        ("spikes", {"peak_hz": float("nan")}, "peak_hz is from 0"),
        ("spikes", {"seed": -1}, "seed is a whole number"),
        ("saccades", {"rep": 100}, "rep is 3 times the frames of a saccade"),
        ("saccades", {"rep": 3}, "rep is 3 times the frames of a saccade"),
        ("saccades", {"motion": "jumpy"}, "motion is one of smooth, convis, not 'jumpy'"),
    ],
)
def test_wrong_options_are_refused_at_once(
    name: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(mnist, name)(TEN, **options)


# -- convis, whose arrays are (batch, channel, t, rows, columns) ----------------------------------

TRUTH = arrays("mnist") if CONVIS.is_dir() else {}


def digits() -> Digits:
    return mnist.load(CONVIS / "mnist")


@needs_convis
@pytest.mark.parametrize("init", [0, 3, 123456789, 7777777777])
async def test_the_walk_as_in_convis_however_it_is_read(init: int) -> None:
    truth, index = TRUTH[f"frames_init{init}"][0, 0], TRUTH[f"index_init{init}"]
    read_digits = await anyio.to_thread.run_sync(digits)
    stream = mnist.frames(read_digits, init=init, rep=7, max_value=2.0, duration_us=84_000)
    whole = list(stream.blocking())
    assert (shown(whole) == truth).all()
    assert shown(whole).dtype == np.float32
    assert [frame.index for frame in whole] == index.tolist()
    async with stream.open() as running:
        for read, state in zip(np.cumsum(REQUESTS), TRUTH[f"state_init{init}"], strict=True):
            first = running.report.delivered
            part = [await anext(running) for _ in range(first, read)]
            assert (shown(part) == truth[first:read]).all()
            assert part[-1].index == state[0]
            assert (-read) % 7 == state[1]  # so many frames of the digit are left


@needs_convis
def test_labels_as_in_convis() -> None:
    """They are a second plane of its frames, and those read after `reset` are the first again."""
    truth = TRUTH["label_get10"][:, 0]
    assert (TRUTH["label_reset_get10"][:, 0] == truth).all()
    index = int(TRUTH["index_init3"][0])
    stream = mnist.frames(digits(), init=3, rep=7, max_value=1.0, duration_us=10_000)
    for _ in range(2):
        frames = list(stream.blocking())
        assert frames[0].index == index
        assert (shown(frames) == truth[0]).all()
        assert [frame.label for frame in frames] == truth[1, :, 0, 0].tolist()


@needs_convis
def test_spikes_as_in_convis() -> None:
    """Other draws, of the same probabilities: 0.2 a frame for white, or 200 spikes a second."""
    truth = arrays("poisson_mnist")
    stream = mnist.spikes(digits(), init=3, rep=7, peak_hz=200, duration_us=34_000)
    frames = list(stream.blocking())
    ours, theirs = shown(frames), truth["frames"][0, 0]
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    for start in range(0, 34, 7):
        dark = digits().images[frames[start].index] == 0
        for spikes in (ours, theirs):
            assert not spikes[start : start + 7, dark].any()
    assert abs(ours.mean() - theirs.mean()) < 0.005


@needs_convis
def test_rates_of_spikes_as_in_convis() -> None:
    truth = arrays("poisson_mnist")
    image = truth["img"].astype(np.uint8)
    one = Digits(image[np.newaxis], np.zeros(1, np.uint8))
    spikes = shown(mnist.spikes(one, peak_hz=300, duration_us=1_000_000).blocking())
    rate = spikes.mean(axis=0)
    expected = 0.3 * image / 255  # what this case was made with
    for found in (rate, truth["rate1000"]):
        assert np.sqrt(np.mean((found - expected) ** 2)) < 0.01
        assert not found[image == 0].any()


@needs_convis
def test_places_of_saccades_as_in_convis() -> None:
    offsets = arrays("pseudo_nmnist")["offsets"]  # of its window, in a canvas with the digit at 28
    x, y = mnist._convis_way(300)
    assert (28 - offsets == np.stack((y, x), 1)).all()


@needs_convis
@pytest.mark.parametrize("init", [3, 10])
def test_saccades_as_in_convis(init: int) -> None:
    """Its frames, and the events that they are documented to give: brightness is summed up, and a
    sum above 5 is an ON event, which takes 5 from it.
    """
    truth = arrays("pseudo_nmnist")
    stream = mnist.saccades(
        digits(), motion="convis", init=init, max_value=1.0, duration_us=600_000
    )
    pictures = shown(stream.blocking())
    bytes_of_frames = (255 * pictures.astype(np.float64)).round()
    assert (bytes_of_frames == truth[f"saccade_init{init}"][0, 0]).all()
    assert (next(iter(stream.blocking())).index) == (init + ADVANCE) % 500
    total = np.zeros((34, 34), np.float32)
    for picture, (on, off) in zip(
        pictures, truth[f"ideal_init{init}"][0].transpose(1, 0, 2, 3), strict=True
    ):
        total += picture
        assert ((total > 5) == on).all()
        assert not off.any()
        total[total > 5] -= 5
