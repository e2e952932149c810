"""The kernels of surfaces in C, called beside the checks: they refuse what has no size."""

from __future__ import annotations

import numpy as np
import pytest

from .kernels import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="no kernels in C here")


def test_c_itself_refuses_a_table_that_is_too_large() -> None:
    from aevents._native._kernels import ffi, lib

    t, x = ffi.new("int64_t[5]"), ffi.from_buffer("uint16_t[]", np.zeros(5, np.uint16))
    p = ffi.from_buffer("uint8_t[]", np.zeros(5, np.uint8))
    for width, height in [(0, 1), (65536, 1), (65535, 65535)]:
        cell, values = ffi.new("int64_t[1]"), ffi.new("float[1]")
        assert lib.ae_last_times(cell, t, x, x, p, 5, width, height) == 5
        assert lib.ae_recent_times(cell, 1, t, x, x, p, 5, width, height) == 5
        assert lib.ae_intervals(cell, t, t, x, x, p, 5, width, height) == 5
        assert lib.ae_voxels(values, t, x, x, p, 5, width, height, 1, 0, 1.0) == 5
        assert (cell[0], values[0]) == (0, 0)
    assert lib.ae_voxels(values, t, x, x, p, 5, 1, 1, 0, 0, 1.0) == 5
