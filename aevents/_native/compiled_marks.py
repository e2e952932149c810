"""What looks for damage in C, with the functions of the twins: same names, same results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from ._kernels import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from .twins import MarksState


def marks_state(**fields: int) -> MarksState:
    """Return the state before the first word; `fields` are those of `MarksState`."""
    return cast("MarksState", ffi.new("ae_marks *", {"stride": 4, "step": -2, **fields}))


def evt2_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT2, EVT2.1 or EVT4 say another time, or are of a reserved type."""
    return _marks(lib.ae_evt2_marks, state.stride, data, state)


def evt3_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which words of EVT3 say another time, or are of a reserved type."""
    return _marks(lib.ae_evt3_marks, 2, data, state)


def dat_marks(data: Buffer, state: MarksState) -> NDArray[np.uint32]:
    """Return which records of DAT leap in time, or have bits that are reserved."""
    return _marks(lib.ae_dat_marks, 8, data, state)


def _marks(
    kernel: Callable[[object, int, object, object], int], size: int, data: Buffer, state: object
) -> NDArray[np.uint32]:
    source = ffi.from_buffer("uint8_t[]", data)
    room = np.empty(len(source) // size, np.uint32)
    count = kernel(source, len(room), state, ffi.from_buffer("uint32_t[]", room))
    return room[:count].copy()
