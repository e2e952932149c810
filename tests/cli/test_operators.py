"""The grammar: words in the order written become steps, and steps become operators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from cyclopts import CycloptsError

from aevents._contracts import Origin
from aevents.cli.main import app
from aevents.cli.operators import METHODS, WHOLE, Step, put, steps_of
from aevents.cli.words import WORDS
from aevents.operators.base import Chain
from aevents.stream import Stream, stream_of
from aevents.testing import assert_same, example_events
from aevents.types import EventBatch, Frame, Sensor

NOTHING: Origin[EventBatch] = Origin("nothing", blocking=lambda: iter(()))  # type: ignore[arg-type, return-value]  # never read
EVENTS = example_events(600, sensor=Sensor(64, 48), seed=3)
CAMERA = np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]])

GRAMMAR = [
    ("", []),
    ("--crop 1,2,30,40", [Step("crop", {"x": (1, 30), "y": (2, 40)})]),
    ("--crop=1,2,30,40", [Step("crop", {"x": (1, 30), "y": (2, 40)})]),
    ("--polarity on", [Step("polarity", {"keep": True})]),
    ("--polarity off", [Step("polarity", {"keep": False})]),
    ("--time-slice 5,90", [Step("time_slice", {"start": 5, "stop": 90})]),
    ("--time-slice ,90", [Step("time_slice", {"stop": 90})]),
    ("--time-slice -5,", [Step("time_slice", {"start": -5})]),
    ("--take 3", [Step("take", {"count": 3})]),
    ("--window-us 10_000", [Step("window", {"duration_us": 10_000})]),
    ("--window-us 10 --no-partial", [Step("window", {"duration_us": 10, "partial": False})]),
    ("--frames signed --axes xy", [Step("frames", {"mode": "signed", "axes": "xy"})]),
    ("--dtype uint8 --frames count", [Step("frames", {"mode": "count", "dtype": np.dtype("u1")})]),
    (
        "--take 9 --polarity on --take 4",
        [Step("take", {"count": 9}), Step("polarity", {"keep": True}), Step("take", {"count": 4})],
    ),
    (
        "--hop-us 5 --polarity on --window-us 10 --origin-us 0",
        [
            Step("window", {"hop_us": 5, "duration_us": 10, "origin_us": 0}),
            Step("polarity", {"keep": True}),
        ],
    ),
    (
        "--polarity on --window-us 10 --take 2 --window-count 7",
        [
            Step("polarity", {"keep": True}),
            Step("window", {"duration_us": 10, "count": 7}),
            Step("take", {"count": 2}),
        ],
    ),
]


@pytest.mark.parametrize(("text", "steps"), GRAMMAR)
def test_words_become_steps_in_the_order_written(text: str, steps: list[Step]) -> None:
    assert parse(text) == steps


REFUSED = [
    ("--window-us 5 --window-us 6", "--window-us is given twice"),
    ("--frames count --frames signed", "--frames is given twice"),
    ("--hop-us 5", "--hop-us, --origin-us: of no use without --window-us or --window-count"),
    ("--axes xy", "--dtype, --axes: of no use without --frames"),
    ("--no-partial --take 3", "--no-partial: of no use without --window-us or --window-count"),
    ("--crop 1,2,x,4", "'x' is no whole number"),
    ("--crop 1,2,3", "a region is LEFT,TOP,RIGHT,BOTTOM in pixels, not '1,2,3'"),
    ("--polarity up", "a polarity is on or off, not 'up'"),
    ("--time-slice 5", "a stretch of time is START,STOP in µs"),
    ("--time-slice ,", "a stretch of time is START,STOP in µs"),
    ("--frames count --dtype float33", "a dtype is the name of numbers"),
    ("--frames count --dtype str", "a dtype is the name of numbers"),
    ("--without-lines most", "'most' is no number"),
    ("--drop-by-chance 0.5,1,2", "a share, and perhaps a seed, are SHARE,SEED, not '0.5,1,2'"),
    ("--scale 20", "a size is WIDTHxHEIGHT in pixels, not '20'"),
    ("--mask nowhere.npy", "a mask is a NumPy array in a file: nowhere.npy: "),
    ("--undistort 1,2,3", "a lens is FX,FY,CX,CY,K1,K2,P1,P2 and perhaps K3, not '1,2,3'"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises((ValueError, CycloptsError)) as refused:
        parse(text)
    assert said in str(refused.value)


MISPUT = [
    ("--frames count --crop 0,0,5,5", "crop works on events: write it before --frames"),
    ("--frames count --window-us 5", "window works on events: write it before --frames"),
    ("--frames heat", "a frame mode is one of count, signed, polarity, binary, not 'heat'"),
    ("--frames count --axes zz", "axes are 'yx'"),
    ("--window-us 0", "greater than zero"),
    ("--window-count 5 --hop-us 5", "hop_us needs duration_us, and no count"),
    ("--take -1", "cannot take -1 events"),
    ("--time-slice 9,5", "a time slice goes forward: 9 to 5"),
    ("--refractory-us 0", "period_us is from 1 to"),
    ("--flip z", "'x' .*'y'"),
    ("--rotate 45", "90"),
    ("--frames count --denoise-us 5", "denoise works on events: write it before --frames"),
]


@pytest.mark.parametrize(("text", "said"), MISPUT)
def test_what_the_operators_refuse_is_refused_before_reading(text: str, said: str) -> None:
    steps = parse(text)
    with pytest.raises(ValueError, match=said):
        put(stream_of(NOTHING), steps)


def test_take_counts_events_until_there_are_windows() -> None:
    (first,) = outcome("--take 100")
    assert isinstance(first, EventBatch)
    assert list(first) == list(EVENTS[:100])


def test_take_after_a_window_counts_windows() -> None:
    items = outcome("--window-count 100 --take 2")
    assert [len(item) for item in items if isinstance(item, EventBatch)] == [100, 100]


def test_take_after_frames_counts_frames() -> None:
    items = outcome("--window-count 100 --frames count --take 3")
    assert [item.array.sum() for item in items if isinstance(item, Frame)] == [100, 100, 100]


def test_the_order_written_is_the_order_applied() -> None:
    first_on = [event for event in EVENTS if event.p][:50]
    (on_then_take,) = outcome("--polarity on --take 50")
    (take_then_on,) = outcome("--take 50 --polarity on")
    assert isinstance(on_then_take, EventBatch)
    assert isinstance(take_then_on, EventBatch)
    assert list(on_then_take) == first_on
    assert list(take_then_on) == [event for event in EVENTS[:50] if event.p]


def test_a_live_source_with_a_take_has_an_end() -> None:
    live: Stream[EventBatch] = stream_of(Origin("camera", live=True))
    assert not put(live, parse("--take 100")).endless


def test_a_live_source_makes_no_single_frame() -> None:
    live: Stream[EventBatch] = stream_of(Origin("camera", live=True))
    with pytest.raises(ValueError, match="a live source has no end: write --window-us"):
        put(live, parse("--frames count"))


FILTERED: list[tuple[str, Callable[[Stream[EventBatch]], Stream[EventBatch]]]] = [
    ("--denoise-us 900", lambda stream: stream.denoise(duration_us=900)),
    ("--refractory-us 700", lambda stream: stream.refractory(period_us=700)),
    ("--contrast-us 5000", lambda stream: stream.contrast(duration_us=5000)),
    ("--without-lines 0.3", lambda stream: stream.without_lines(0.3)),
    ("--keep-every 3", lambda stream: stream.keep_every(3)),
    ("--drop-by-chance 0.4", lambda stream: stream.drop_by_chance(0.4)),
    ("--drop-by-chance 0.4,9", lambda stream: stream.drop_by_chance(0.4, seed=9)),
    ("--flip x", lambda stream: stream.flip("x")),
    ("--rotate -90", lambda stream: stream.rotate(-90)),
    ("--rotate 90 --flip x", lambda stream: stream.transpose()),
    ("--downsample 2", lambda stream: stream.downsample(2)),
    ("--scale 20x30", lambda stream: stream.scale(width=20, height=30)),
    (
        "--undistort 60,60,32,24,-0.2,0.05,0,0",
        lambda stream: stream.undistort(CAMERA, (-0.2, 0.05, 0, 0)),
    ),
    (
        "--refractory-us 500 --crop 5,5,60,40 --denoise-us 3000",
        lambda stream: (
            stream.refractory(period_us=500).crop(x=(5, 60), y=(5, 40)).denoise(duration_us=3000)
        ),
    ),
    (
        "--denoise-us 3000 --crop 5,5,60,40 --refractory-us 500",
        lambda stream: (
            stream.denoise(duration_us=3000).crop(x=(5, 60), y=(5, 40)).refractory(period_us=500)
        ),
    ),
]


@pytest.mark.parametrize(("text", "same"), FILTERED)
def test_filters_and_moves_are_those_of_a_stream(
    text: str, same: Callable[[Stream[EventBatch]], Stream[EventBatch]]
) -> None:
    expected = fed(same(stream_of(NOTHING)))
    assert_same(outcome(text), expected)
    assert not same_events(expected, [EVENTS])


def test_the_order_of_filters_matters() -> None:
    (first, *_), (second, *_) = outcome(FILTERED[-1][0]), outcome(FILTERED[-2][0])
    assert not same_events([first], [second])


def test_hot_pixels_are_learned() -> None:
    t = np.arange(0, 100_000, 10)
    x = np.where(t % 20, 7, t % 64)
    hot = EventBatch.from_columns(t=t, x=x, y=x % 48, p=x > 5, sensor=Sensor(64, 48))
    stream = put(stream_of(NOTHING), parse("--without-hot-pixels 50_000"))
    expected = fed(stream_of(NOTHING).without_hot_pixels(learn_us=50_000), hot)
    assert_same(fed(stream, hot), expected)
    assert len(cast("EventBatch", expected[0])) < len(hot)


def test_a_mask_is_read_from_a_file(tmp_path: Path) -> None:
    mask = np.indices((48, 64)).sum(0) % 2 > 0
    np.save(tmp_path / "mask.npy", mask)
    assert_same(outcome(f"--mask {tmp_path / 'mask.npy'}"), fed(stream_of(NOTHING).mask(mask)))


def test_every_word_tells_what_it_does() -> None:
    assert all(word.about.endswith(".") for word in WORDS)
    assert {word.step for word in WORDS} <= METHODS.keys() | {"take"}
    assert set(WHOLE) < {word.step for word in WORDS}


def parse(text: str) -> list[Step]:
    line = ["run", "in.raw", "--to", "out.raw", *text.split()]
    _, bound, _ = app.parse_args(line, exit_on_error=False, print_error=False)
    given = bound.arguments
    return steps_of(given.get("operators", ()), partial=not given["output"].no_partial)


def outcome(text: str) -> list[object]:
    return fed(put(stream_of(NOTHING), parse(text)))


def fed(stream: Stream[object] | Stream[EventBatch], events: EventBatch = EVENTS) -> list[object]:
    chain: Chain[EventBatch, object] = Chain([make() for make in stream.operators])
    return [*chain.feed(events), *chain.flush()]


def same_events(one: list[object], other: list[object]) -> bool:
    return [list(cast("EventBatch", item)) for item in one] == [
        list(cast("EventBatch", item)) for item in other
    ]
