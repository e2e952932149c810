"""Several sources as one: which go together, and how."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from aevents.cli.inputs import Inputs, OneSensor
from aevents.cli.reading import Input
from aevents.runtime import run
from aevents.types import EventBatch, Sensor, Span

LIVE = "synthetic:bar?duration_us=0"


def read(inputs: Inputs, least: int = 1 << 40) -> EventBatch:
    """Return the first events that come from all, at least so many, or all that there are."""

    async def main() -> EventBatch:
        batches: list[EventBatch] = []
        async with inputs.joined() as events, events.open() as items:
            async for batch in items:
                batches.append(batch)
                if sum(map(len, batches)) >= least:
                    break
        return EventBatch.concat(batches)

    return run(main)


def test_one_source_is_itself(recording: Path, events: EventBatch) -> None:
    inputs = Inputs([str(recording)], Input())
    assert list(read(inputs)) == list(events)
    assert (inputs.events, inputs.fraction, inputs.live) == (600, 1.0, False)


def test_recordings_come_in_the_order_of_time(recording: Path, events: EventBatch) -> None:
    inputs = Inputs([str(recording), str(recording)], Input())
    assert read(inputs).t.tolist() == [time for time in events.t.tolist() for _ in range(2)]
    assert [one.events for one in inputs.readings] == [600, 600]
    assert (inputs.events, inputs.fraction) == (1_200, 1.0)


def test_recordings_without_a_size_have_no_fraction(recording: Path) -> None:
    assert Inputs([str(recording), "synthetic:bar"], Input()).fraction is None


def test_live_sources_come_as_they_come() -> None:
    inputs = Inputs([LIVE, "synthetic:disk?duration_us=0"], Input())
    assert inputs.live
    both = read(inputs, least=500_000)
    assert both.sensor == Sensor(640, 480)
    assert all(one.events for one in inputs.readings)


def test_live_sensors_of_two_sizes_are_refused_unless_they_are_given_one() -> None:
    names = [LIVE, f"{LIVE}&size=100x80"]
    with pytest.raises(ValueError, match="do not go into one stream as they come: --size"):
        read(Inputs(names, Input()), least=500_000)
    assert len(read(Inputs(names, Input(size=Sensor(50, 40))), least=500_000))


def test_sensors_of_one_size_become_one_without_a_name() -> None:
    one = OneSensor()
    for name in ("left", "right"):
        named = EventBatch.empty(Sensor(3, 2, name), Span(0, 9))
        assert [batch.sensor for batch in one.feed(named)] == [Sensor(3, 2)]
    assert one.flush() == ()


REFUSED = [
    ([], "no source was given"),
    (["-", "-"], "standard input is one source: - is given twice"),
    (["in.raw", LIVE], r"in.raw is a recording, and would be over before synthetic:bar.* is live"),
]


@pytest.mark.parametrize(("names", "said"), REFUSED)
def test_what_does_not_go_together_is_refused(
    names: Sequence[str], said: str, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recording.parent)
    with pytest.raises(ValueError, match=said):
        Inputs(names, Input())


def test_a_pipe_may_be_live(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.raw")
    inputs = Inputs(["-", str(tmp_path / "pipe.raw"), LIVE], Input())
    assert inputs.live


def test_what_can_be_read_again(recording: Path) -> None:
    assert Inputs([str(recording)], Input()).rewindable
    assert not Inputs([str(recording), "-"], Input()).rewindable
    assert not Inputs([LIVE], Input()).rewindable


def test_reading_begins_where_it_is_wanted(recording: Path) -> None:
    assert len(read(Inputs([str(recording)], Input(), start=10))) == 600
