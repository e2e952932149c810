"""What C sees of arrays is what they hold."""

from __future__ import annotations

import numpy as np
import pytest

from .kernels import COMPILED

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")


def test_c_sees_the_columns() -> None:
    from aevents._native.columns import Columns
    from aevents._native.pointers import columns_pointers

    columns = Columns(100, columns_pointers)
    columns.t[99], columns.x[3], columns.y[4], columns.p[5] = 7, 8, 9, 1
    c = columns.c
    assert (c.capacity, c.t[99], c.x[3], c.y[4], c.p[5]) == (100, 7, 8, 9, 1)


def test_c_sees_the_messages() -> None:
    from aevents._native.datagrams import MESSAGE_STRIDE, Datagrams
    from aevents._native.pointers import messages_pointers

    messages = Datagrams(2, messages_pointers)
    messages.put(b"a")
    messages.put(b"bc")
    c = messages.c
    assert (c.capacity, c.length[1], c.segment[1]) == (2, 2, 2)
    assert bytes(c.data[MESSAGE_STRIDE : MESSAGE_STRIDE + 2]) == b"bc"


def test_c_sees_events_and_keeps_their_arrays() -> None:
    from aevents._native.pointers import events_pointers

    t, x, y, p = np.arange(3), *(np.arange(3, dtype=np.uint16) for _ in "xy"), np.ones(3, bool)
    events = events_pointers(t, x, y, p)
    del t, x, y, p
    assert (events.c.n, events.c.t[2], events.c.x[2], events.c.y[1], events.c.p[0]) == (
        3,
        2,
        2,
        1,
        1,
    )
