"""Frames in colour: from counts to RGB pixels, through a small table of colours."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict, cast, get_args

import numpy as np
import numpy.typing as npt

from aevents.types import PICTURES, Frame

ColourMap = Literal["dark", "light", "gray"]
Pixels = npt.NDArray[np.uint8]
Rgb = tuple[int, int, int]

LEVELS = 33
"""Levels of brightness. A table of both polarities has 1089 colours, which stay in the cache."""
WHITE = 255.0
"""Of pictures, unless they are told otherwise."""
SCALE = 4.0
"""So many events make a pixel as bright as it gets, or more where the first frame is denser."""

UP_TO_ONE = ("binary", "time_surface")
"""Frames whose values have their own scale, from 0 to 1."""
IN_PARTS = ("voxel_grid", "stack_count", "stack_signed")
"""Frames whose first axis is not polarity."""


class Look(TypedDict, total=False):
    """The options of whatever paints frames: those of `Paint`."""

    colours: ColourMap
    scale: float | None
    zoom: int


class Colours(NamedTuple):
    """What is painted in which colour, each as red, green and blue from 0 to 255."""

    background: Rgb
    on: Rgb
    off: Rgb
    neutral: Rgb


MAPS: dict[ColourMap, Colours] = {
    "dark": Colours((17, 19, 24), on=(255, 164, 48), off=(72, 156, 255), neutral=(245, 245, 240)),
    "light": Colours((255, 255, 255), on=(213, 94, 0), off=(0, 96, 176), neutral=(20, 22, 28)),
    "gray": Colours((127, 127, 127), on=(255, 255, 255), off=(0, 0, 0), neutral=(255, 255, 255)),
}
"""Orange for ON and blue for OFF: a pair that every kind of colour vision tells apart."""


class Paint:
    """Make RGB pixels of frames: called with one, it gives `(height, width, 3)` uint8.

    ON is orange and OFF is blue; where a pixel has both, the two add up (near white on `"dark"`,
    near black on `"light"`, nothing on `"gray"`, where ON is white and OFF is black). Frames that
    do not know polarity are painted in one neutral colour. Pictures of a camera's own
    (`"intensity"` and `"bgr"`) stay as they are: of uint16 the upper half, of other types, floats
    too, the values from 0 to 255.

    `scale` is how many events make a pixel as bright as it gets; a quarter of them make it half as
    bright. Unless given, it is chosen at the first frame that shows anything (4, or more if one in
    a hundred of the pixels with events has more) and then stays, so that a video does not flicker.
    Of pictures of floats it is the value that is white, 255 unless given: 1 for those up to 1.
    `zoom` enlarges each pixel to a square of so many. Frames with axes "xy" are turned back.

    Raises `ValueError` for an unknown map and for a scale or zoom that is not positive; when
    called, `TypeError` for what is no frame, and `ValueError` for a frame that is no picture.
    """

    __slots__ = ("_pairs", "_scale", "_shades", "_white", "_zoom")

    def __init__(
        self, colours: ColourMap = "dark", *, scale: float | None = None, zoom: int = 1
    ) -> None:
        if colours not in MAPS:
            known = ", ".join(get_args(ColourMap))
            raise ValueError(f"a colour map is one of {known}, not {colours!r}")
        if scale is not None and not scale > 0:
            raise ValueError(f"scale is a number of events greater than zero, not {scale!r}")
        if zoom < 1 or zoom != int(zoom):
            raise ValueError(f"zoom is a whole number from 1 on, not {zoom!r}")
        self._scale = scale
        self._white = WHITE if scale is None else scale
        self._zoom = int(zoom)
        self._pairs, self._shades = _tables(MAPS[colours])

    def __call__(self, frame: Frame, /) -> Pixels:
        """Return the frame's pixels."""
        _check_kind(frame)
        if frame.mode in PICTURES:
            return _enlarged(_in_rgb(frame, self._white), self._zoom)
        array = frame.array if frame.axes == "yx" else np.swapaxes(frame.array, -1, -2)
        scale = 1.0 if frame.mode in UP_TO_ONE else self._scale_for(array)
        if array.ndim == 3 and len(array) == 2 and frame.mode not in IN_PARTS:
            colours = self._paired(array[1], array[0], scale)
        elif array.ndim != 2:
            raise ValueError(f"a picture is (height, width) or (2, height, width), not {frame!r}")
        elif frame.mode == "signed":
            signed = array.astype(np.float32, copy=False)
            colours = self._paired(signed, -signed, scale)
        else:
            colours = self._shades.take(_levels(array, scale))
        return _enlarged(_bytes_of(colours), self._zoom)

    def _paired(
        self, on: npt.NDArray[np.generic], off: npt.NDArray[np.generic], scale: float
    ) -> npt.NDArray[np.uint32]:
        return self._pairs.take(_levels(on, scale) * LEVELS + _levels(off, scale))

    def _scale_for(self, array: npt.NDArray[np.generic]) -> float:
        if self._scale is not None:
            return self._scale
        lit = np.abs(array[array != 0])
        if not len(lit):
            return SCALE
        self._scale = max(SCALE, float(np.percentile(lit, 99)))
        return self._scale


def _in_rgb(frame: Frame, white: float) -> Pixels:
    """Return a picture's own pixels, without their opacity."""
    array = _in_bytes(frame.array, white)
    if array.ndim == 2:
        array = np.repeat(array[..., np.newaxis], 3, axis=2)
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise ValueError(f"a picture is (height, width) or (height, width, 3), not {array.shape}")
    return array[..., ::-1] if frame.mode == "bgr" else array[..., :3]


def _in_bytes(values: npt.NDArray[np.generic], white: float) -> Pixels:
    if values.dtype == np.uint8:
        return cast("Pixels", values)
    if values.dtype == np.uint16:
        return cast("Pixels", (values.astype(np.uint16) >> 8).astype(np.uint8))
    light = values.astype(np.float32)
    if values.dtype.kind == "f" and white != WHITE:
        light *= np.float32(WHITE / white)
    return np.rint(np.clip(light, 0, 255)).astype(np.uint8)


def _check_kind(item: object) -> None:
    if not isinstance(item, Frame):
        kind = type(item).__name__
        raise TypeError(
            f"pictures are made of frames, not of {kind}: put .frames() (--frames) before"
        )


def _levels(counts: npt.NDArray[np.generic], scale: float) -> npt.NDArray[np.uint16]:
    """Return the level of brightness of each count: its square root, so that few events show."""
    levels: npt.NDArray[np.float32] = np.sqrt(np.maximum(counts, 0), dtype=np.float32)
    levels *= np.float32((LEVELS - 1) / scale**0.5)
    return np.minimum(levels, LEVELS - 1).astype(np.uint16)


def _tables(colours: Colours) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the colours of each pair of levels, ON first, and those of each level of a count."""
    background, on, off, neutral = (np.array(colour, np.float64) for colour in colours)
    level = np.linspace(0, 1, LEVELS)[:, None]
    on_part, off_part = level * (on - background), level * (off - background)
    pairs = background + on_part[:, None] + off_part[None]
    return _packed(pairs.reshape(-1, 3)), _packed(background + level * (neutral - background))


def _packed(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    """Return each colour as one number of four bytes, so that a look-up moves it whole."""
    packed = np.zeros((len(colours), 4), np.uint8)
    packed[:, :3] = np.clip(np.rint(colours), 0, 255)
    return packed.view(np.uint32)[:, 0]


def _bytes_of(colours: npt.NDArray[np.uint32]) -> Pixels:
    parts = colours.view(np.uint8).reshape(*colours.shape, 4)
    pixels = np.empty((*colours.shape, 3), np.uint8)
    for channel in range(3):  # seven times faster than one copy of `parts[..., :3]`
        pixels[..., channel] = parts[..., channel]
    return pixels


def _enlarged(pixels: Pixels, zoom: int) -> Pixels:
    return pixels if zoom == 1 else pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
