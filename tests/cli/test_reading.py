"""Sources as commands read them: names, and how far a reading has come."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.cli.reading import Input, Reading, Tally, hide_hyphen
from aevents.types import EventBatch


def test_a_tally_hands_on_what_it_counts() -> None:
    tally = Tally()
    assert tally.feed(b"abc") == (b"abc",)
    assert tally.feed(b"de") == (b"de",)
    assert tally.flush() == ()
    assert tally.total == 5


def test_a_lone_hyphen_is_hidden_and_nothing_else() -> None:
    assert hide_hyphen(["run", "-", "--to", "-x", "-"]) == [
        "run", "standard:", "--to", "-x", "standard:",
    ]  # fmt: skip


async def test_a_reading_knows_how_far_it_has_come(reading: Reading, events: EventBatch) -> None:
    assert (reading.events, reading.fraction, reading.format) == (0, 0.0, None)
    assert dict(reading.report) == {"delivered": 0, "events": 0}
    async with reading.start(reading.stream) as batches:
        read = [event async for batch in batches for event in batch]
    assert read == list(events)
    assert (reading.events, reading.fraction, reading.format) == (600, 1.0, "evt3")
    assert reading.report.events == 600
    assert reading.seconds > 0


def test_what_has_no_size_has_no_fraction(tmp_path: Path) -> None:
    assert Reading("-", Input(), EventBatch).fraction is None
    assert Reading(str(tmp_path), Input(), EventBatch).fraction is None


def test_a_missing_file_is_noticed_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Reading(str(tmp_path / "none.raw"), Input(), EventBatch)
