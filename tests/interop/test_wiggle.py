"""A wiggle is a GIF that goes on for ever, there and back, without a flicker."""

from __future__ import annotations

import importlib
import io
import sys

import numpy as np
import pytest
from PIL import Image

from aevents import EventBatch, MissingExtraError, Sensor
from aevents.interop import wiggle as module
from aevents.interop.wiggle import PICTURE_MS, PICTURES, wiggle
from aevents.operators.excerpt import TakeExcerpt
from aevents.testing import example_events

EVENTS = example_events(500)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Draw fewer pictures, for each takes a while."""
    monkeypatch.setattr(module, "PICTURES", 4)
    return 4


def pictures_of(data: bytes) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    with Image.open(io.BytesIO(data)) as gif:
        found = []
        for number in range(gif.n_frames):  # type: ignore[attr-defined]  # of those that move
            gif.seek(number)
            found.append(np.asarray(gif.convert("RGB")))
        return found


def test_it_turns_there_and_back_for_ever(few: int) -> None:
    data = wiggle(EVENTS)
    there = pictures_of(data)
    assert len(there) == 2 * few - 2
    assert np.array_equal(there[1], there[-1])
    assert all(not np.array_equal(one, there[0]) for one in there[1:])
    with Image.open(io.BytesIO(data)) as gif:
        assert (gif.info["loop"], gif.info["duration"]) == (0, PICTURE_MS)
    assert (2 * PICTURES - 2) * PICTURE_MS == 2_300


def test_the_ground_is_white_in_each_picture(few: int) -> None:
    for picture in pictures_of(wiggle(EVENTS, title="Some")):
        assert picture[-1, 0].tolist() == [255, 255, 255]
        colours = {tuple(one) for one in picture.reshape(-1, 3).tolist()}
        assert len(colours) <= 256
        assert (0, 0, 0) in colours


def test_it_takes_an_excerpt_too(few: int) -> None:
    excerpt = TakeExcerpt(100)
    excerpt.feed(EVENTS)
    [taken] = excerpt.flush()
    assert wiggle(taken) == wiggle(EVENTS, limit=100)


def test_no_events_are_nothing_to_plot() -> None:
    with pytest.raises(ValueError, match="no events: there is nothing to plot"):
        wiggle(EventBatch.empty(Sensor(4, 3)))


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aevents.interop.wiggle")
    monkeypatch.setitem(sys.modules, "mpl_toolkits.mplot3d", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[plot\]'"):
        importlib.import_module("aevents.interop.wiggle")
