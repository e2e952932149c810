"""The filters in C: they write nowhere but where they are told."""

from __future__ import annotations

import numpy as np
import pytest

from aevents._native.checks import BURST_TYPE

from .kernels import COMPILED, arrays, implementation

pytestmark = pytest.mark.skipif(not COMPILED, reason="no kernels in C here")

WIDTH, HEIGHT = 7, 5


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 63, 64, 65, 300, 1000])
def test_nothing_beside_tables_and_flags_is_touched(isa: str, n: int) -> None:
    dice, kernels = np.random.default_rng(n), implementation(isa)
    x, y = dice.integers(0, WIDTH + 3, n), dice.integers(0, HEIGHT + 3, n)
    rows = list(zip(range(n), x.tolist(), y.tolist(), [1] * n, strict=True))
    off_sensor = int(((x >= WIDTH) | (y >= HEIGHT)).sum())
    wide = (HEIGHT + 2) * (WIDTH + 2)
    for name, size, dtype in (
        ("background", wide, np.uint64),
        ("refractory", WIDTH * HEIGHT, np.uint64),
        ("contrast", WIDTH * HEIGHT, BURST_TYPE),
    ):
        around = np.zeros(size + 64, dtype)
        shape = (HEIGHT + 2, WIDTH + 2) if size == wide else (HEIGHT, WIDTH)
        flags = np.ones(n + 64, np.bool_)
        options = {"trail": False} if name == "contrast" else {}
        table = around[32:-32].reshape(shape)
        found = getattr(kernels, name)(arrays(rows), table, 3, flags[32:-32], **options)
        assert found == off_sensor
        assert (around[:32] == np.zeros(32, dtype)).all()
        assert (around[-32:] == np.zeros(32, dtype)).all()
        assert flags[:32].all()
        assert flags[-32:].all()


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 63, 64, 65, 300, 1000])
def test_what_is_picked_is_exact(isa: str, n: int) -> None:
    from aevents._native._kernels import ffi, lib
    from aevents._native.pointers import events_pointers

    implementation(isa).pick(arrays([]), np.zeros(0, np.bool_))  # selects the instruction set
    dice = np.random.default_rng(n)
    rows = [(i, i % 60_000, 7 * i % 50_000, i % 2) for i in range(n)]
    for share in (0.0, 0.1, 0.5, 1.0):
        keep = dice.random(n) < share
        kept = int(keep.sum())
        around = [np.full(kept + 64, 99, dtype) for dtype in ("i8", "u2", "u2", "u1")]
        t, x, y, p = (column[32 : 32 + kept] for column in around)
        out = events_pointers(t, x, y, p)
        source = events_pointers(*arrays(rows))
        lib.ae_pick(source.c, ffi.from_buffer("uint8_t[]", keep), out.c)
        expected = [row for row, wanted in zip(rows, keep.tolist(), strict=True) if wanted]
        found = zip(t.tolist(), x.tolist(), y.tolist(), p.tolist(), strict=True)
        assert list(found) == expected
        assert out.c.n == kept
        for column in around:
            assert (column[:32] == 99).all()
            assert (column[32 + kept :] == 99).all()
