"""The rate curve counts every event, whatever the length; the end is found without the middle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aevents
from aevents.sources.array import from_array
from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.messages import Rates
from aevents.viewer.survey import BINS, RateCurve, last_of, survey
from tests.viewer.pages import some_events


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=50), st.integers(1, 20))
def test_every_event_is_in_its_bin(times: list[int], parts: int) -> None:
    times.sort()
    t = np.array(times)
    curve = RateCurve(times[0])
    for part in np.array_split(t, parts):
        zeros = np.zeros(len(part), int)
        batch = EventBatch.from_columns(t=part, x=zeros, y=zeros, p=zeros)
        assert [*curve.feed(batch)] == []
    assert len(curve.counts) <= BINS
    edges = times[0] + curve.step * np.arange(len(curve.counts) + 1)
    assert curve.counts == np.histogram(t, edges)[0].tolist()
    assert curve.last == times[-1]
    assert curve.flush() == (curve,)


def test_frames_count_as_one_each_and_nothing_is_nothing() -> None:
    curve = RateCurve(0)
    assert curve.counts == []
    for start in (0, 2_500):
        [*curve.feed(Frame(np.zeros((2, 2)), Span(start, start + 1), Sensor(2, 2)))]
    assert curve.counts == [1, 0, 1]


@pytest.mark.parametrize("suffix", ["raw", "dat", "aedat4", "npy", "csv"])
async def test_the_last_time_is_right_in_every_format(tmp_path: Path, suffix: str) -> None:
    events = some_events(200_000, stop=50_000_000)
    path = tmp_path / f"a.{suffix}"
    await from_array(np.asarray(events), events.sensor).to(str(path))
    assert await last_of(aevents.open(path)) == int(events.t[-1])


async def test_a_recording_is_looked_through_in_parts() -> None:
    told: list[tuple[Rates, int | None]] = []
    tell: Callable[[Rates, int | None], None] = lambda *one: told.append(one)  # noqa: E731
    stream = aevents.open("synthetic:bar?rate=1e7&duration_us=500000&size=64x48")
    await survey(stream, 0, 7, tell)
    rates, last = told[-1]
    assert (rates.show, rates.whole, sum(rates.counts)) == (7, True, 5_000_000)
    assert last is not None
    assert 499_990 < last < 500_000
    assert await last_of(stream) is None  # a scene cannot be cut
