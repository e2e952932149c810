"""The running time of events."""

from __future__ import annotations

import numpy as np

from aevents.operators.order import running_times


def test_times_in_order_are_their_own_running_times() -> None:
    t = np.array([1, 1, 5])
    times, late = running_times(t, 1)
    assert times is t
    assert late == 0


def test_a_late_event_counts_at_the_running_time() -> None:
    times, late = running_times(np.array([3, 7, 5, 6, 8]), 4)
    assert times.tolist() == [4, 7, 7, 7, 8]
    assert late == 3


def test_no_events_have_no_times() -> None:
    times, late = running_times(np.array([], np.int64), 4)
    assert (len(times), late) == (0, 0)
