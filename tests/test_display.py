"""What a notebook shows: true figures and pictures, of bounded size, whatever the value holds."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import aevents
from aevents import (
    Damage,
    EventBatch,
    Frame,
    Report,
    Sensor,
    Span,
    Stream,
    TimeSurface,
    VoxelGrid,
)  # fmt: skip
from aevents._display import HEIGHT, WIDTH, figures_of, html_of, picture_of, png_of
from aevents.operators.colour import MAPS, Paint
from aevents.testing import example_events

EVENTS = example_events(500)
ON, OFF, DARK = MAPS["dark"].on, MAPS["dark"].off, MAPS["dark"].background
MOST_BYTES = 1 << 20


def pixels_in(html: str) -> npt.NDArray[np.uint8]:
    found = re.search(r"data:image/png;base64,([^\"]+)", html)
    assert found is not None
    return pixels_of(b64decode(found[1]))


def pixels_of(png: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"))


def shown(value: aevents.EventBatch | Frame | Sensor | Report) -> str:
    html = value._repr_html_()
    assert html is not None
    return html


def frame(array: npt.NDArray[np.generic], mode: str = "signed", axes: str = "yx") -> Frame:
    return Frame(array, Span(0, 2_000), Sensor(array.shape[-1], array.shape[-2]), mode, axes)


def test_a_batch_is_a_picture_and_its_figures() -> None:
    batch = EventBatch.from_columns(
        t=[0, 1, 1_999], x=[0, 3, 3], y=[0, 2, 2], p=[1, 0, 0], sensor=Sensor(4, 3, "left")
    )
    html = shown(batch)
    for name, value in (
        ("events", "3"), ("ON", "1"), ("rate", "0.002 Mev/s"), ("from", "0 µs"),
        ("to", "2,000 µs"), ("sensor", "4 x 3"), ("name", "left"),
    ):  # fmt: skip
        assert f">{name}</th>" in html
        assert f">{value}</td>" in html
    pixels = pixels_in(html)
    assert pixels.shape == (3, 4, 3)
    assert pixels[0, 0, 0] > pixels[0, 0, 2]
    assert pixels[2, 3, 2] > pixels[2, 3, 0]
    assert pixels[1, 1].tolist() == [*DARK]
    png = batch._repr_png_()
    assert png is not None
    assert np.array_equal(pixels_of(png), pixels)
    assert 'width="160" height="120"' in html  # each pixel as a square


def test_a_sensor_of_no_size_is_as_large_as_its_events_need() -> None:
    batch = EventBatch.from_columns(t=[0, 1], x=[0, 3], y=[0, 2], p=[1, 0])
    assert pixels_in(shown(batch)).shape == (3, 4, 3)
    assert "size not known" in shown(batch)


def test_no_events_are_no_picture() -> None:
    batch = EventBatch.empty(Sensor(4, 3))
    assert "<img" not in shown(batch)
    assert batch._repr_png_() is None
    assert figures_of(batch)[0] == ("events", 0)


@pytest.mark.parametrize("sensor", [Sensor(65_535, 65_535), Sensor(65_535, 1), Sensor(1, 65_535)])
def test_the_largest_sensor_has_a_small_picture(sensor: Sensor) -> None:
    last_x, last_y = sensor.width - 1, sensor.height - 1
    batch = EventBatch.from_columns(t=[0, 1], x=[0, last_x], y=[0, last_y], p=[1, 1], sensor=sensor)
    pixels = pixels_in(shown(batch))
    assert pixels.shape[0] <= HEIGHT
    assert pixels.shape[1] <= WIDTH
    lit = (pixels != DARK).any(axis=2)
    assert (lit[0, 0], lit[-1, -1], lit.sum()) == (True, True, 2)


def test_events_off_the_sensor_are_left_out() -> None:
    batch = EventBatch.from_columns(t=[0], x=[9], y=[9], p=[1], sensor=Sensor(4, 3))
    assert (pixels_in(shown(batch)) == DARK).all()


def test_many_events_are_painted_in_part_and_counted_in_full() -> None:
    n = (1 << 20) + 5
    ones = np.ones(n, np.uint16)
    batch = EventBatch.from_columns(t=np.arange(n), x=ones, y=ones, p=ones, sensor=Sensor(4, 3))
    assert f">{n:,}</td>" in shown(batch)
    assert len(shown(batch)) < MOST_BYTES


def test_a_frame_is_the_picture_of_aevents_png() -> None:
    one = next(aevents.from_array(EVENTS, EVENTS.sensor).frames("polarity").blocking())
    small = Frame(one.array[:, :200, :300], one.span, Sensor(300, 200), one.mode)
    assert np.array_equal(pixels_in(shown(small)), Paint()(small))
    assert small._repr_png_() == aevents.png(small)
    for value in ("polarity", "(2, 200, 300) float32"):
        assert f">{value}</td>" in shown(small)


@pytest.mark.parametrize(
    ("shape", "mode", "axes"),
    [
        ((3_000, 4_000), "signed", "yx"),
        ((2, 3_000, 4_000), "polarity", "yx"),
        ((4_000, 3_000), "count", "xy"),
        ((3_000, 4_000, 3), "intensity", "yx"),
        ((3_000, 4_000, 3), "bgr", "yx"),
        ((3_000, 4_000), "intensity", "yx"),
    ],
)
def test_a_large_frame_has_a_small_picture(shape: tuple[int, ...], mode: str, axes: str) -> None:
    pixels = pixels_in(shown(frame(np.zeros(shape, np.uint8), mode, axes)))
    assert pixels.shape == (429, 572, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8, np.bool_])
def test_no_event_gets_lost_where_a_frame_is_made_smaller(dtype: type[np.generic]) -> None:
    array = np.zeros((1_000, 1_000), dtype)  # every third is taken
    array[1, 4] = array[999, 998] = 1
    one = frame(array, "count")
    pixels = pixels_in(shown(one))
    assert np.argwhere((pixels != DARK).any(axis=2)).tolist() == [[0, 1], [333, 332]]
    if np.issubdtype(dtype, np.signedinteger):
        array[2, 5] = -3
        assert pixels_in(shown(frame(array)))[0, 1].tolist()[2] > 150  # OFF is blue


@pytest.mark.parametrize("shape", [(5, 4, 3), (7,), (0, 4)])
def test_a_frame_that_is_no_picture_has_figures(shape: tuple[int, ...]) -> None:
    one = Frame(np.zeros(shape, np.float32), Span(0, 1), Sensor(4, 3), "voxel_grid")
    assert "<img" not in shown(one)
    assert ">voxel_grid</td>" in shown(one)
    odd = Frame(np.zeros((4, 3), "M8[us]"), Span(0, 1), Sensor(4, 3), "count")
    assert "<img" not in shown(odd)


def test_a_report_tells_counts_losses_and_places() -> None:
    damage = [Damage("torn_bytes", 1_000 * number) for number in range(1_000)]
    html = shown(Report(3, 40, {"torn_bytes": 5, "late_events": 2}, damage))
    assert ">torn_bytes</th>" in html
    assert ">lost</th>" in html
    assert ">torn_bytes at byte 3,000</td>" in html
    assert "more</td>" in html
    assert html.count("<tr>") < 30
    assert "lost" not in shown(Report(3, 40, {}))


def test_a_stream_tells_what_it_does() -> None:
    mask = np.ones((480, 640), bool)
    stream: Stream[object] = (
        aevents.open("synthetic:bar")
        .window(duration_us=10)
        .mask(mask)
        .map(abs)  # type: ignore[arg-type]  # of no matter
        .through(TimeSurface)
        .through(partial(VoxelGrid, 5))  # type: ignore[arg-type]  # of no matter
    )
    html = stream._repr_html_()
    assert html is not None
    for text in ("synthetic:bar", "finite", "Window(duration_us=10", "Map(abs)", "TimeSurface",
                 "VoxelGrid(5)", "await stream.peek()"):  # fmt: skip
        assert text in html
    assert len(html) < 3_000
    live = aevents.open("udp://:3333?size=4x3")._repr_html_()
    assert live is not None
    assert ">live</td>" in live
    assert stream._repr_png_() is None


def test_names_are_text_whatever_they_hold() -> None:
    html = shown(Sensor(4, 3, "<script>", "n" * 1_000))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert len(html) < 1_000


def test_other_values_show_nothing() -> None:
    assert (html_of(3), png_of(3), picture_of(3), figures_of(3)) == (None, None, None, [])
