"""The kernels that work on events, in C: what they keep alive, and what they refuse."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from .kernels import COMPILED, implementation

pytestmark = pytest.mark.skipif(not COMPILED, reason="no kernels in C here")


def columns(n: int, *, at: int = 0) -> tuple[np.ndarray, ...]:
    t = np.arange(at, at + n)
    x = np.arange(n, dtype=np.uint16)
    return t, x, x, np.zeros(n, np.bool_)


def test_runs_keep_what_they_point_to() -> None:
    kernels = implementation("base")
    runs, out = kernels.Runs(2), kernels.columns()
    for which in range(2):
        runs.put(which, columns(1000, at=which))
    gc.collect()
    np.empty(1_000_000, np.int64).fill(-1)  # where the columns would have been
    kernels.merge(runs, 1 << 40, out)
    assert out.n == 2000
    assert (np.diff(out.t[: out.n]) >= 0).all()


def test_a_table_of_another_size_is_refused() -> None:
    kernels = implementation("base")
    _, x, y, p = columns(3)
    with pytest.raises(ValueError, match="counts must be 12 \\+ 1 of"):
        kernels.accumulate(np.zeros(12, np.uint32), None, x, y, p, 4, 3, 1)
