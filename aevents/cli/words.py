"""The operators as words of the command line: the grammar and its documentation, in one table.

Each word is an option with a value, and belongs to one step of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import numpy as np

Options = Mapping[str, object]


class Word(msgspec.Struct, frozen=True):
    """One option: its name, how its value is written and read, and the step that it belongs to."""

    name: str
    value: str
    step: str
    read: Callable[[str], Options]
    about: str


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _number(option: str) -> Callable[[str], Options]:
    return lambda text: {option: _whole(text)}


def _name(option: str) -> Callable[[str], Options]:
    return lambda text: {option: text}


def _region(text: str) -> Options:
    edges = text.split(",")
    if len(edges) != 4:
        raise ValueError(f"a region is LEFT,TOP,RIGHT,BOTTOM in pixels, not {text!r}")
    left, top, right, bottom = map(_whole, edges)
    return {"x": (left, right), "y": (top, bottom)}


def _on_or_off(text: str) -> Options:
    if text not in ("on", "off"):
        raise ValueError(f"a polarity is on or off, not {text!r}")
    return {"keep": text == "on"}


def _stretch(text: str) -> Options:
    times = text.split(",")
    if len(times) != 2 or not any(times):
        raise ValueError(f"a stretch of time is START,STOP in µs (one may be empty), not {text!r}")
    return {name: _whole(time) for name, time in zip(("start", "stop"), times, strict=True) if time}


def _dtype(text: str) -> Options:
    try:
        dtype = np.dtype(text)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iuf":
        raise ValueError(f"a dtype is the name of numbers, like float32 or uint8, not {text!r}")
    return {"dtype": dtype}


def _size(text: str) -> Options:
    sides = text.split("x")
    if len(sides) != 2:
        raise ValueError(f"a size is WIDTHxHEIGHT in pixels, not {text!r}")
    return {"width": _whole(sides[0]), "height": _whole(sides[1])}


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _fill(text: str) -> Options:
    return {"fill": _decimal(text)}


def _chance(text: str) -> Options:
    share, *seed = text.split(",")
    if len(seed) > 1:
        raise ValueError(f"a share, and perhaps a seed, are SHARE,SEED, not {text!r}")
    options: Options = {"value": _decimal(share)}
    return {**options, "seed": _whole(seed[0])} if seed else options


def _mask(text: str) -> Options:
    try:
        return {"value": np.load(text)}
    except (OSError, ValueError) as error:
        raise ValueError(f"a mask is a NumPy array in a file: {text}: {error}") from None


def _lens(text: str) -> Options:
    values = [_decimal(value) for value in text.split(",")]
    if len(values) not in (8, 9):
        raise ValueError(f"a lens is FX,FY,CX,CY,K1,K2,P1,P2 and perhaps K3, not {text!r}")
    fx, fy, cx, cy, *distortion = values
    return {"camera": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], "distortion": distortion}


WORDS = (
    Word(
        "--crop",
        "LEFT,TOP,RIGHT,BOTTOM",
        "crop",
        _region,
        "Keep the pixels from LEFT,TOP up to, not including, RIGHT,BOTTOM. "
        "Coordinates then count from that corner.",
    ),
    Word("--polarity", "on|off", "polarity", _on_or_off, "Keep ON events, or OFF events."),
    Word(
        "--time-slice",
        "START,STOP",
        "time_slice",
        _stretch,
        "Keep START <= t < STOP (µs, as recorded). Either may be left empty.",
    ),
    Word(
        "--take",
        "N",
        "take",
        _number("count"),
        "Keep the first N events; after a window the first N windows, after --frames N frames.",
    ),
    Word(
        "--mask",
        "FILE.npy",
        "mask",
        _mask,
        "Keep the pixels where this array, as high and wide as the sensor, is true.",
    ),
    Word(
        "--denoise-us",
        "N",
        "denoise",
        _number("duration_us"),
        "Leave out events without another beside them in the last N µs.",
    ),
    Word(
        "--refractory-us",
        "N",
        "refractory",
        _number("period_us"),
        "Let each pixel rest for N µs after an event.",
    ),
    Word(
        "--contrast-us",
        "N",
        "contrast",
        _number("duration_us"),
        "Keep events that follow on one of the same pixel and polarity within N µs.",
    ),
    Word(
        "--without-hot-pixels",
        "N",
        "without_hot_pixels",
        _number("learn_us"),
        "Leave out the pixels that are hot in the first N µs.",
    ),
    Word(
        "--without-lines",
        "SHARE",
        "without_lines",
        _fill,
        "Leave out rows of which more than this share has events of one time.",
    ),
    Word("--keep-every", "N", "keep_every", _number("value"), "Keep every N-th event."),
    Word(
        "--drop-by-chance",
        "SHARE[,SEED]",
        "drop_by_chance",
        _chance,
        "Leave out this share of the events, at random; the same seed leaves out the same.",
    ),
    Word(
        "--flip",
        "x|y",
        "flip",
        _name("value"),
        "Mirror the picture: x swaps left and right, y top and bottom.",
    ),
    Word(
        "--rotate",
        "DEGREES",
        "rotate",
        _number("value"),
        "Turn the picture clockwise by a multiple of 90 degrees.",
    ),
    Word(
        "--downsample",
        "N",
        "downsample",
        _number("value"),
        "Make one pixel of N times N. All events stay.",
    ),
    Word(
        "--scale",
        "WIDTHxHEIGHT",
        "scale",
        _size,
        "Fit the picture into a sensor of this size.",
    ),
    Word(
        "--undistort",
        "FX,FY,CX,CY,K1,K2,P1,P2[,K3]",
        "undistort",
        _lens,
        "Undo the distortion of the lens, as a calibration found it.",
    ),
    Word("--window-us", "N", "window", _number("duration_us"), "Cut by event time, every N µs."),
    Word(
        "--window-count",
        "N",
        "window",
        _number("count"),
        "Cut every N events; with --window-us, whichever comes first.",
    ),
    Word(
        "--hop-us",
        "N",
        "window",
        _number("hop_us"),
        "Start a window every N µs; they overlap when that is less than --window-us.",
    ),
    Word(
        "--origin-us",
        "N",
        "window",
        _number("origin_us"),
        "Count windows by time from N µs, not from the first event.",
    ),
    Word(
        "--frames",
        "MODE",
        "frames",
        _name("mode"),
        "Make a frame of each window, or one of everything: "
        "count, signed (ON minus OFF), polarity (OFF and ON apart) or binary.",
    ),
    Word("--dtype", "NAME", "frames", _dtype, "Numbers in the frames: float32 unless given."),
    Word("--axes", "yx|xy", "frames", _name("axes"), "Rows first (yx, the rule) or columns first."),
)
