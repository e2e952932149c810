"""Events of pictures in C: it writes nowhere but where it is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aevents._native.planes import Active, Pixels, Timing

from .kernels import COMPILED, implementation
from .scenes import INTERVAL, How, picture, pixels

pytestmark = pytest.mark.skipif(not COMPILED, reason="no kernels in C here")

WIDTH = 7
EDGE = 64


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("height", [1, 9, 73, 74, 147])  # 511, 518 and 1029 pixels: blocks of 512
def test_nothing_beside_planes_and_lists_is_touched(isa: str, height: int) -> None:
    kernels, n = implementation(isa), height * WIDTH
    inside = pixels(height, WIDTH, leak=1.0, seed=height)
    around = [np.full(n + 2 * EDGE, 9, plane.dtype) for plane in inside]
    planes: list[np.ndarray[Any, Any]] = list(inside)
    for one, plane in zip(around, planes, strict=True):
        one[EDGE:-EDGE] = plane.reshape(-1)
    of = Pixels(*(one[EDGE:-EDGE].reshape(height, WIDTH) for one in around))
    active = Active(n + EDGE)
    for name in Active.__slots__[:-1]:
        if name not in ("n", "most"):
            getattr(active, name)[n:] = 9
    light = np.random.default_rng(height).integers(0, 256, (height, WIDTH)).astype(np.uint8)
    kernels.see(of, picture(light, How(noise=0.5, sigma=0.1)), active)
    room = np.full(active.most + EDGE, 9, np.uint64)
    assert 0 < kernels.fire(of, active, Timing(0, INTERVAL), 0, INTERVAL, room) <= active.most
    assert (room[active.most :] == 9).all()
    for one in around:
        assert (one[:EDGE] == 9).all()
        assert (one[-EDGE:] == 9).all()
    for name in ("index", "excess", "change", "crossed", "done", "noise_at", "noise_p"):
        assert (getattr(active, name)[n:] == 9).all()
