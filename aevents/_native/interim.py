"""Interim NumPy stand-ins until the kernels land; to be deleted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt


def inspection_state(width: int, height: int) -> Any:
    return SimpleNamespace(
        width=width, height=height, started=0, last=0, latest=0, backward=0, off_sensor=0
    )


def inspect(t: npt.NDArray[Any], x: npt.NDArray[Any], y: npt.NDArray[Any], state: Any) -> None:
    state.backward = int((t[1:] < t[:-1]).sum())
    state.off_sensor = 0
    if not len(t):
        return
    state.backward += int(state.started and t[0] < state.last)
    state.latest = int(t.max()) if not state.started else max(state.latest, int(t.max()))
    state.started, state.last = 1, int(t[-1])
    if state.width:
        state.off_sensor = int(((x >= state.width) | (y >= state.height)).sum())


def accumulate(
    counts: npt.NDArray[Any],
    spill: Any,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    p: npt.NDArray[Any],
    width: int,
    height: int,
    planes: int,
) -> int:
    ok = (x < width) & (y < height)
    index = (y[ok].astype(np.int64) * width + x[ok]) + (
        p[ok].astype(np.int64) * width * height if planes == 2 else 0
    )
    spill += np.bincount(index, minlength=len(spill)).astype(np.uint32)
    return int((~ok).sum())


def readout(
    counts: npt.NDArray[Any], spill: Any, out: npt.NDArray[Any], signed: bool = False
) -> None:
    values = spill[: len(spill) - 1]
    if signed:
        half = len(values) // 2
        out[...] = (values[half:].astype(np.int64) - values[:half]).reshape(out.shape)
    else:
        out[...] = values.reshape(out.shape)
    spill[:] = 0
