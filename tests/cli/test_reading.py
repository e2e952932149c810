"""Sources as commands read them: names, and how far a reading has come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from aevents import registry
from aevents.cli.reading import Input, Progressed, Reading, hide_hyphen
from aevents.codecs.base import Jump, ReadAt
from aevents.codecs.dat import CODEC, DatDecoder, DatEncoder
from aevents.runtime import run
from aevents.testing import encode
from aevents.types import EventBatch


def test_bytes_are_handed_on_and_counted_from_where_they_begin() -> None:
    progressed = Progressed()
    assert progressed.feed(b"abc") == (b"abc",)
    assert progressed.offset == 3
    assert progressed.feed(Jump(100)) == (Jump(100),)
    assert progressed.feed(b"de") == (b"de",)
    assert progressed.flush() == ()
    assert progressed.offset == 102


def read_to_the_end(reading: Reading[object]) -> list[object]:
    async def main() -> list[object]:
        async with reading.start(reading.stream) as items:
            return [item async for item in items]

    return run(main)


def test_what_a_library_reads_has_no_fraction(tmp_path: Path, events: EventBatch) -> None:
    np.savez(tmp_path / "in.npz", t=events.t, x=events.x, y=events.y, p=events.p)
    reading = Reading(str(tmp_path / "in.npz"), Input(), object)
    read_to_the_end(reading)
    assert (reading.fraction, reading.format, reading.events) == (None, "npz", 600)


def test_a_reading_may_begin_in_the_middle(
    tmp_path: Path, events: EventBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Locating(DatDecoder):
        def locate(self, read: ReadAt, size: int, start: int) -> Jump:
            return Jump(size - 80, state=(0, 0))  # the last ten records

    monkeypatch.setattr(registry, "each_codec", lambda: [replace(CODEC, decoder=Locating)])
    (tmp_path / "in.dat").write_bytes(encode(DatEncoder(), [events] * 20))
    reading = Reading(str(tmp_path / "in.dat"), Input(), object, start=int(events.t[590]))
    batches = read_to_the_end(reading)
    assert sum(len(batch) for batch in batches if isinstance(batch, EventBatch)) == 10
    assert reading.fraction == 1.0


def test_a_lone_hyphen_is_hidden_and_nothing_else() -> None:
    assert hide_hyphen(["run", "-", "--to", "-x", "-"]) == [
        "run", "standard:", "--to", "-x", "standard:",
    ]  # fmt: skip


async def test_a_reading_knows_how_far_it_has_come(
    reading: Reading[EventBatch], events: EventBatch
) -> None:
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


def test_a_video_is_no_recording_of_events(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(b"")
    with pytest.raises(ValueError, match=r"in\.mp4 holds frames, not events: aevents run"):
        Reading(str(tmp_path / "in.mp4"), Input(), EventBatch)
    Reading(str(tmp_path / "in.mp4"), Input(), object)
