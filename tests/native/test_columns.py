"""Slabs go back to their pool when the last view is gone, and not before."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from aevents._native import columns as module
from aevents._native.columns import SLACK, Columns, checked

from .kernels import arrays

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


def address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def test_the_columns_have_their_types_and_room(kernels: ModuleType) -> None:
    out = kernels.columns(1000)
    assert (out.capacity, out.n, out.triggers) == (1000, 0, 0)
    found = [(c.dtype.name, len(c)) for c in (out.t, out.x, out.y, out.p)]
    assert found == [("int64", 1000), ("uint16", 1000), ("uint16", 1000), ("uint8", 1000)]
    found = [(c.dtype.name, len(c)) for c in (out.trigger_t, out.trigger_id, out.trigger_value)]
    assert found == [("int64", 1024), ("uint8", 1024), ("uint8", 1024)]


def test_by_default_65536_events_fit_and_the_slack(kernels: ModuleType) -> None:
    assert kernels.columns().capacity == 65536 + SLACK


def test_no_column_overlaps_another() -> None:
    out = Columns(101)
    every: list[NDArray[Any]] = [out.t, out.x, out.y, out.p]
    every += [out.trigger_t, out.trigger_id, out.trigger_value]
    for number, column in enumerate(every):
        column[:] = number
    for number, column in enumerate(every):
        assert (column == number).all()


def test_too_little_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="capacity must be over 64 events, not 64"):
        Columns(64)


def test_taken_events_are_read_only_views() -> None:
    out = Columns(100)
    out.n = 25
    out.t[:25], out.x[:25], out.y[:25], out.p[:25] = 5, 6, 7, 1
    t, x, y, p = out.take()
    assert [t.tolist(), x.tolist(), y.tolist(), p.tolist()] == [
        [5] * 25,
        [6] * 25,
        [7] * 25,
        [True] * 25,
    ]
    assert [c.dtype.name for c in (t, x, y, p)] == ["int64", "uint16", "uint16", "bool"]
    assert np.shares_memory(t, out.t)
    for column in (t, x, y, p):
        assert not column.flags.writeable


def test_a_taken_batch_stays_as_it_is_when_decoding_goes_on() -> None:
    out = Columns(100)
    out.n, out.t[:] = 100, 5
    t, *_ = out.take()
    out.begin()
    out.t[:] = 6
    assert t.tolist() == [5] * 100


def test_a_small_batch_is_copied_and_the_slab_stays() -> None:
    out = Columns(100)
    out.n, out.t[:] = 24, 5
    t, *_ = out.take()
    assert not np.shares_memory(t, out.t)
    assert not t.flags.writeable
    before = address(out.t)
    out.begin()
    assert address(out.t) == before
    assert (out.n, out.triggers) == (0, 0)


def test_a_loop_that_lets_batches_go_uses_two_slabs() -> None:
    out, seen, batch = Columns(777), set(), None
    for _ in range(50):
        out.begin()
        out.n = 777
        seen.add(address(out.t))
        batch = out.take()
    assert len(seen) <= 3
    assert batch is not None


def test_a_slab_comes_back_only_when_the_last_view_is_gone() -> None:
    out = Columns(555)
    out.n = 555
    place = address(out.t)
    view = out.take()[2][100:200]
    del out
    gc.collect()
    assert address(Columns(555).t) != place
    del view
    gc.collect()
    assert address(Columns(555).t) == place


def test_few_free_slabs_are_kept() -> None:
    every = [Columns(444) for _ in range(2 * module.FREE_SLABS)]
    del every
    gc.collect()
    assert len(module._pools[444, None]) == module.FREE_SLABS


def test_threads_never_share_a_slab() -> None:
    def work(number: int) -> bool:
        good = True
        for _ in range(200):
            out = Columns(333)
            out.t[:] = number
            out.n = 333
            t, *_ = out.take()
            good &= bool((t == number).all())
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_c_follows_the_columns_to_another_slab(kernels: ModuleType) -> None:
    out, state = kernels.columns(100), kernels.evt2_state()
    words = bytes.fromhex("00000080") + 36 * bytes.fromhex("00000010")
    batches = []
    for start in (0, 0, 0):
        kernels.evt2_decode(words, start, state, out)
        batches.append(out.take())
        assert (out.c is None) == (
            kernels.evt2_decode.__module__.startswith("aevents._native.twins")
        )
    assert [len(batch[0]) for batch in batches] == [36, 36, 36]
    assert len({address(batch[0]) for batch in batches}) == 3


@pytest.mark.parametrize("column", range(4))
def test_columns_of_other_types_are_refused(kernels: ModuleType, column: int) -> None:
    given: list[NDArray[Any]] = list(arrays([(1, 2, 3, 1)]))
    given[column] = given[column].astype(np.float32)
    with pytest.raises(TypeError, match=r"must be int64, uint16, uint16, bool, not .*float32"):
        kernels.evt2_encode(*given, kernels.encoder_state())


def test_columns_of_other_lengths_or_with_gaps_are_refused() -> None:
    t, x, y, p = arrays([(1, 2, 3, 1)] * 4)
    for bad in (x[:3], x[::2], x.reshape(2, 2)):
        with pytest.raises(ValueError, match="contiguous and of one length"):
            checked(t, bad, y, p)
    with pytest.raises(ValueError, match="contiguous and of one length"):
        checked(t[::2], x[::2], y[::2], p[::2])


def test_polarity_may_be_uint8(kernels: ModuleType) -> None:
    t, x, y, p = arrays([(1, 2, 3, 1)])
    state = kernels.encoder_state()
    assert kernels.dat_encode(t, x, y, p.view(np.uint8), state) == bytes.fromhex("0100000002c00010")
