"""Voxel grids and stacks: a window of events as several frames, one after the other in time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from aevents._native import kernels
from aevents.operators.frames import Accumulator
from aevents.operators.order import running_times
from aevents.operators.representation import Whole, cells_of
from aevents.types import EventBatch, Frame, Span, Times

By = Literal["time", "count"]
StackMode = Literal["count", "signed", "polarity"]

MOST_BINS = 1024


class VoxelGrid(Whole[Frame]):
    """Make voxel grids: `(bins, height, width)` float32, each event shared between the two bins
    that it lies between in time.

    With `t'` running from 0 at the first event of the window to `bins - 1` at the last,
    `t' = (bins - 1) (t - first) / (last - first)`, and `±1` for ON and OFF, bin `b` of a pixel is
    the sum of `±max(0, 1 - |b - t'|)` over its events. A late event counts at the running time;
    events off the sensor are left out and counted (`outside_frame`).

    Raises `ValueError` unless `bins` is 1 to 1024, and when the sensor size is not known.

    Zhu et al., Unsupervised Event-based Learning of Optical Flow, Depth, and Egomotion, CVPR 2019;
    as in E2VID: Rebecq et al., High Speed and High Dynamic Range Video with an Event Camera, TPAMI
    2019 (without its normalisation of the values).

    >>> from aevents.types import Sensor
    >>> events = EventBatch.from_columns(t=[0, 5, 20], x=[0] * 3, y=[0] * 3, p=[1, 0, 1],
    ...                                  sensor=Sensor(1, 1))
    >>> grid = VoxelGrid(bins=3)
    >>> _ = grid.feed(events)
    >>> grid.flush()[0].array.ravel().tolist()
    [0.5, -0.5, 1.0]
    """

    def __init__(self, bins: int = 5) -> None:
        super().__init__()
        _check_bins(bins)
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._bins = bins

    def of(self, window: EventBatch, /) -> Frame:
        """Return the grid of these events."""
        sensor, times = window.sensor, _in_order(window)
        cells_of(sensor, self._bins)
        grid = np.zeros((self._bins, sensor.height, sensor.width), np.float32)
        if len(window):
            first, last = int(times[0]), int(times[-1])
            scale = (self._bins - 1) / max(last - first, 1)
            self.counts["outside_frame"] += kernels.voxels(
                grid, times, window.x, window.y, window.p, first, scale
            )
        grid.flags.writeable = False
        return Frame(grid, window.span, sensor, "voxel_grid")


class Stack(Whole[Frame]):
    """Make stacks: a window cut into `bins` parts, of each a frame.

    `"time"` cuts the window's span into parts of equal duration: part `b` of `[start, stop)` has
    the events of `b <= bins (t - start) / (stop - start) < b + 1`. `"count"` cuts its events into
    parts of equal number: with `n` events, part `b` begins at event `b n // bins`. `mode` is as in
    `Frames`: `(bins, height, width)` for `"count"` and `"signed"`, `(bins, 2, height, width)` for
    `"polarity"`; float32. A late event counts at the running time; events off the sensor are left
    out and counted (`outside_frame`).

    Raises `ValueError` for anything else, unless `bins` is 1 to 1024, and when the sensor size is
    not known.

    SBT and SBN of Wang et al., Event-Based High Dynamic Range Image and Very High Frame Rate Video
    Generation Using Conditional Generative Adversarial Networks, CVPR 2019.
    """

    def __init__(self, bins: int = 5, *, by: By = "time", mode: StackMode = "signed") -> None:
        super().__init__()
        _check_bins(bins)
        if by not in ("time", "count"):
            raise ValueError(f"a stack is by 'time' or 'count', not {by!r}")
        if mode not in ("count", "signed", "polarity"):
            raise ValueError(f"a stack's mode is count, signed or polarity, not {mode!r}")
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._bins = bins
        self._by = by
        self._mode = mode

    def of(self, window: EventBatch, /) -> Frame:
        """Return the stack of these events."""
        sensor, signed = window.sensor, self._mode == "signed"
        cells_of(sensor, self._bins * (2 if self._mode == "polarity" else 1))
        table = Accumulator(sensor, 1 if self._mode == "count" else 2)
        starts = self._starts(window)
        parts = []
        for start, stop in zip(starts, [*starts[1:], len(window)], strict=True):
            self.counts["outside_frame"] += table.add(window.cut(start, stop, window.span))
            parts.append(table.read(np.float32, signed=signed))
        stack: npt.NDArray[np.generic] = np.stack(parts)
        if self._mode != "polarity":
            stack = stack[:, 0]
        stack.flags.writeable = False
        return Frame(stack, window.span, sensor, f"stack_{self._mode}")

    def _starts(self, window: EventBatch) -> list[int]:
        """Return the index of the first event of each part; the first part has all before it."""
        if self._by == "count":
            return [part * len(window) // self._bins for part in range(self._bins)]
        bounds = [_start_of(part, self._bins, window.span) for part in range(1, self._bins)]
        return [0, *np.searchsorted(_in_order(window), bounds).tolist()]


def _start_of(part: int, bins: int, span: Span) -> int:
    """Return the first µs of this part, counting exactly."""
    return span.start - (-part * span.duration_us // bins)


def _in_order(window: EventBatch) -> Times:
    return running_times(window.t, int(window.t[0]))[0] if len(window) else window.t


def _check_bins(bins: int) -> None:
    if not 1 <= bins <= MOST_BINS:
        raise ValueError(f"bins are 1 to {MOST_BINS}, not {bins}")
