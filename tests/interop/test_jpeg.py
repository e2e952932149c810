"""Frames as JPEG files, and events cut into frames while somebody looks."""

from __future__ import annotations

import importlib
import io
import sys

import numpy as np
import pytest
from PIL import Image

from aevents import Frame, MissingExtraError, Sensor, Span, TriggerBatch
from aevents.interop.jpeg import Pictures, jpeg
from aevents.testing import example_events

SENSOR = Sensor(64, 48)


def frame(level: int) -> Frame:
    array = np.full((48, 64), level, np.uint8)
    array.flags.writeable = False
    return Frame(array, Span(0, 1), SENSOR, "intensity")


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    assert (image.format, image.size) == ("JPEG", (64, 48))
    return image


def test_a_frame_becomes_a_jpeg_file() -> None:
    shade = np.asarray(opened(jpeg(frame(200))).convert("L")).mean()
    assert abs(shade - 200) <= 2


def test_quality_and_colours_can_be_chosen() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (48, 64), np.uint8)
    noise.flags.writeable = False
    picture = Frame(noise, Span(0, 1), SENSOR, "intensity")
    assert len(jpeg(picture, quality=10)) < len(jpeg(picture, quality=90)) / 2
    with Image.open(io.BytesIO(jpeg(picture, zoom=2))) as image:
        assert image.size == (128, 96)


def test_events_become_frames_of_windows_and_frames_stay() -> None:
    batch = example_events(2000, sensor=SENSOR)
    pictures = Pictures(int(batch.t[-1] - batch.t[0]) // 4, lambda: True)
    made = [*pictures.feed(batch), *pictures.flush()]
    assert len(made) in (4, 5)
    assert [*map(opened, made)]
    assert [*pictures.feed(frame(9))] == [jpeg(frame(9))]
    assert pictures.counts == {}


def test_nothing_is_made_of_anything_else_or_while_nobody_looks() -> None:
    pictures = Pictures(1000, lambda: True)
    triggers = TriggerBatch(
        np.zeros(1, np.int64), np.zeros(1, np.uint8), np.ones(1, np.bool_), SENSOR, Span(0, 0)
    )
    assert [*pictures.feed(triggers)] == []
    assert [*Pictures(1000, lambda: False).feed(frame(1))] == []


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "aevents.interop.jpeg")
    with pytest.raises(MissingExtraError, match=r"aevents\[web\]"):
        importlib.import_module("aevents.interop.jpeg")
