"""The light of a picture: one number a pixel, from 0 to 255, whatever the picture is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aevents.types import Frame

RGB_WEIGHTS = (19_595, 38_470, 7_471)
"""0.299, 0.587 and 0.114 (ITU-R BT.601) of 65536."""

Light = npt.NDArray[np.uint8] | npt.NDArray[np.float32]


def light_of(frame: Frame, /) -> Light:
    """Return the light on each pixel, `(height, width)`: uint8 of uint8, else float32 of 0 to 255.

    Colours, `(height, width, 3)` or 4, in RGB unless the frame's mode is `"bgr"`, become their
    luminance (ITU-R BT.601). The range of unsigned integers is 0 to 255, however wide they are;
    floats are from 0 to 255 already. Raises `ValueError` for frames of another shape or type, for
    floats that are no numbers, and for those below 0.
    """
    array = frame.array
    if array.ndim == 3 and array.shape[2] in (3, 4) and frame.axes == "yx":
        array = _gray(array, frame.mode == "bgr")
    if array.ndim != 2 or array.dtype.kind not in "uf":
        raise ValueError(
            "a picture is (height, width) or in colours (height, width, 3), of unsigned integers "
            f"or floats: not {array.dtype} {frame.shape}"
        )
    if frame.axes == "xy":
        array = array.T
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, np.uint8)
    scale = 255 / (256**array.itemsize - 1) if array.dtype.kind == "u" else 1
    light = np.ascontiguousarray(array, np.float32) * np.float32(scale)
    if not 0 <= light.min(initial=0) <= light.max(initial=0) < np.inf:
        raise ValueError("the light of a picture is a number from 0 on: some of it is not")
    return light


def _gray(array: npt.NDArray[np.generic], bgr: bool) -> npt.NDArray[np.generic]:
    red, green, blue = (np.asarray(array[..., 2 - k if bgr else k]) for k in range(3))
    if array.dtype == np.uint8:
        parts = zip((red, green, blue), RGB_WEIGHTS, strict=True)
        total = sum(one.astype(np.uint32) * np.uint32(weight) for one, weight in parts)
        return np.asarray((total + np.uint32(1 << 15)) >> 16, np.uint8)
    parts = zip((red, green, blue), RGB_WEIGHTS, strict=True)
    gray = sum(one.astype(np.float64) * (weight / 65536) for one, weight in parts)
    return np.asarray(gray, array.dtype)
