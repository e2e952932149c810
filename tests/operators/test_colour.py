"""The colours of frames."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from aevents.operators.colour import MAPS, ColourMap, Paint, Rgb
from aevents.types import Frame, Sensor, Span

BACKGROUND, ORANGE, BLUE, WHITE = (17, 19, 24), (255, 164, 48), (72, 156, 255), (245, 245, 240)


def frame(values: npt.ArrayLike, mode: str = "count", axes: str = "yx") -> Frame:
    return Frame(np.asarray(values, np.float32), Span(0, 1000), Sensor(3, 1), mode, axes)


def colours(paint: Paint, of: Frame) -> list[Rgb]:
    return [(int(r), int(g), int(b)) for r, g, b in paint(of).reshape(-1, 3)]


def test_on_is_orange_off_is_blue_and_nothing_is_dark() -> None:
    assert colours(Paint(scale=1), frame([[1, -1, 0]], "signed")) == [ORANGE, BLUE, BACKGROUND]


def test_both_polarities_in_a_pixel_add_up_to_white() -> None:
    off, on = [[0, 1, 1]], [[1, 0, 1]]
    painted = colours(Paint(scale=1), frame([off, on], "polarity"))
    assert painted == [ORANGE, BLUE, (255, 255, 255)]


def test_counts_are_neutral_and_brighter_the_more_there_are() -> None:
    painted = colours(Paint(scale=4), frame([[0, 1, 4]]))
    assert painted == [BACKGROUND, (131, 132, 132), WHITE]


def test_what_is_above_the_scale_stays_as_bright_as_it_gets() -> None:
    assert colours(Paint(scale=4), frame([[4, 5, 1000]])) == [WHITE, WHITE, WHITE]


def test_a_binary_frame_is_full_or_nothing_whatever_the_scale() -> None:
    assert colours(Paint(scale=50), frame([[0, 1, 0]], "binary")) == [BACKGROUND, WHITE, BACKGROUND]


def test_negative_counts_are_as_dark_as_none() -> None:
    assert colours(Paint(), frame([[-3, 0, -1]])) == [BACKGROUND] * 3


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.float64, np.bool_])
def test_any_dtype_is_painted_alike(dtype: type[np.generic]) -> None:
    values = np.array([[1, 0, 1]]).astype(dtype)
    for mode, colour in (("count", WHITE), ("signed", ORANGE)):
        one = Frame(values, Span(0, 1), Sensor(3, 1), mode)
        assert colours(Paint(scale=1), one) == [colour, BACKGROUND, colour]


def test_the_scale_is_chosen_at_the_first_frame_with_events_and_stays() -> None:
    paint = Paint()
    assert colours(paint, frame([[0, 0, 0]])) == [BACKGROUND] * 3
    assert colours(paint, frame([[16, 16, 16]]))[0] == WHITE
    assert colours(paint, frame([[1, 4, 16]])) == [(74, 76, 78), (131, 132, 132), WHITE]


def test_the_scale_is_not_less_than_4() -> None:
    painted = colours(Paint(), frame([[1, 1, 1]]))
    assert painted == [(131, 132, 132)] * 3


def test_one_wild_pixel_does_not_set_the_scale() -> None:
    values = np.full((10, 100), 4.0)
    values[5, 5] = 1e6
    assert Paint()(frame(values))[0, 0].tolist() == list(WHITE)


def test_a_transposed_frame_is_turned_back() -> None:
    values = np.zeros((2, 3, 5), np.float32)  # polarity, width 3, height 5
    values[1, 2, 4] = 1
    painted = Paint(scale=1)(frame(values, "polarity", axes="xy"))
    assert painted.shape == (5, 3, 3)
    assert painted[4, 2].tolist() == list(ORANGE)


def test_zoom_makes_squares() -> None:
    painted = Paint(scale=1, zoom=2)(frame([[1, 0]], "signed"))
    assert painted.shape == (2, 4, 3)
    assert [pixel.tolist() for pixel in painted[1]] == [
        list(ORANGE), list(ORANGE), list(BACKGROUND), list(BACKGROUND),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dark", [ORANGE, BLUE, BACKGROUND]),
        ("light", [(213, 94, 0), (0, 96, 176), (255, 255, 255)]),
        ("gray", [(255, 255, 255), (0, 0, 0), (127, 127, 127)]),
    ],
)
def test_maps_are_chosen_by_name(name: ColourMap, expected: list[Rgb]) -> None:
    assert colours(Paint(name, scale=1), frame([[1, -1, 0]], "signed")) == expected


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_colour_blind_tell_on_from_off_from_background(name: ColourMap) -> None:
    """Red and green weakness after Machado, Oliveira and Fernandes (2009), at full severity."""
    for weakness in (
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    ):
        colours = np.array([MAPS[name].on, MAPS[name].off, MAPS[name].background]) / 255
        seen = np.clip(colours**2.2 @ np.array(weakness).T, 0, 1) ** (1 / 2.2)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert np.abs(seen[one] - seen[other]).max() > 0.4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colours": "rainbow"}, "dark, light, gray, not 'rainbow'"),
        ({"scale": 0}, "greater than zero, not 0"),
        ({"scale": float("nan")}, "greater than zero, not nan"),
        ({"zoom": 0}, "whole number from 1 on, not 0"),
        ({"zoom": 1.5}, "whole number from 1 on, not 1.5"),
    ],
)
def test_options_out_of_range_are_refused_at_once(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Paint(**options)  # type: ignore[arg-type]  # that is the point


def test_only_frames_are_painted() -> None:
    with pytest.raises(TypeError, match=r"not of list: put \.frames\(\) \(--frames\) before"):
        Paint()(cast("Frame", [1]))


@pytest.mark.parametrize("shape", [(3,), (3, 2, 2), (1, 2, 2, 2)])
def test_a_frame_of_another_shape_is_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"a picture is \(height, width\)"):
        Paint()(frame(np.ones(shape)))


def test_a_time_surface_is_bright_where_it_is_one() -> None:
    values = np.array([[[0, 1, 0]], [[1, 0, 0.25]]], np.float32)
    surface = Frame(values, Span(0, 1), Sensor(3, 1), "time_surface")
    on, off, half = Paint()(surface)[0].tolist()
    assert (on, off) == ([255, 164, 48], [72, 156, 255])
    assert half == [136, 92, 36]


@pytest.mark.parametrize("mode", ["voxel_grid", "stack_count", "stack_signed"])
def test_two_bins_are_not_two_polarities(mode: str) -> None:
    with pytest.raises(ValueError, match=r"a picture is \(height, width\)"):
        Paint()(Frame(np.ones((2, 2, 2), np.float32), Span(0, 1), Sensor(2, 2), mode))


def test_pictures_of_a_camera_are_shown_as_they_are() -> None:
    gray = np.array([[0, 100]], np.uint8)
    colour = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    for array, expected in ((gray, [[[0] * 3, [100] * 3]]), (colour, colour.tolist())):
        frame = Frame(array, Span(0, 1), Sensor(2, 1), "intensity")
        assert Paint()(frame).tolist() == expected
        assert Paint(zoom=2)(frame).shape == (2, 4, 3)
    with pytest.raises(ValueError, match="or \\(height, width, 3\\)"):
        Paint()(Frame(np.zeros((2, 2, 5), np.uint8), Span(0, 1), Sensor(2, 2), "intensity"))


def test_opacity_is_left_out_and_blue_first_turned_round() -> None:
    pixels = np.array([[[1, 2, 3, 9]]], np.uint8)
    for mode, array, expected in (
        ("intensity", pixels, [[[1, 2, 3]]]),
        ("bgr", pixels[..., :3], [[[3, 2, 1]]]),
    ):
        assert Paint()(Frame(array, Span(0, 1), Sensor(1, 1), mode)).tolist() == expected


def test_pictures_of_other_types_keep_their_brightness() -> None:
    for array, expected in (
        (np.array([[0xFFFF, 0x1234]], np.uint16), [[[255] * 3, [0x12] * 3]]),
        (np.array([[-3, 99.6]], np.float32), [[[0] * 3, [100] * 3]]),
        (np.array([[300, 7]], np.int64), [[[255] * 3, [7] * 3]]),
    ):
        frame = Frame(array, Span(0, 1), Sensor(2, 1), "intensity")
        assert Paint()(frame).tolist() == expected


def test_the_scale_of_pictures_of_floats_is_what_is_white() -> None:
    halves = np.array([[0.0, 0.5, 1.0, 2.0]])
    frame = Frame(halves, Span(0, 1), Sensor(4, 1), "intensity")
    assert Paint(scale=1)(frame)[0, :, 0].tolist() == [0, 128, 255, 255]
    assert Paint()(frame)[0, :, 0].tolist() == [0, 0, 1, 2]
    whole = Frame(halves.astype(np.uint8), Span(0, 1), Sensor(4, 1), "intensity")
    assert Paint(scale=1)(whole)[0, :, 0].tolist() == [0, 0, 1, 2]
