"""What a healthy recording would not hold, in NumPy: the specification of `inspect.c`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(slots=True)
class InspectionState:
    """What is known of a stream so far; fields as `ae_inspection` in kernels.h.

    `latest` is the running time; `backward`, `late` and `off_sensor` are of the last call.
    """

    width: int = 0
    height: int = 0
    started: int = 0
    last: int = 0
    latest: int = 0
    backward: int = 0
    late: int = 0
    off_sensor: int = 0


def inspection_state(width: int = 0, height: int = 0) -> InspectionState:
    """Return the state before the first event; a sensor of 0x0 is not known."""
    return InspectionState(width, height)


def inspect(
    t: NDArray[np.int64], x: NDArray[np.uint16], y: NDArray[np.uint16], state: InspectionState
) -> None:
    """Count, in the next events of a stream, what goes back in time, is late, or off the sensor."""
    state.backward = state.late = state.off_sensor = 0
    if not len(t):
        return
    if not state.started:
        state.started, state.last, state.latest = 1, int(t[0]), int(t[0])
    state.backward = int(np.count_nonzero(t < np.concatenate(([state.last], t[:-1]))))
    running = np.maximum.accumulate(np.concatenate(([state.latest], t)))
    state.late = int(np.count_nonzero(t < running[:-1]))
    state.last, state.latest = int(t[-1]), int(running[-1])
    if state.width > 0 and state.height > 0:
        state.off_sensor = int(np.count_nonzero((x >= state.width) | (y >= state.height)))
