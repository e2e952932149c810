"""Real and peer-written recordings: the events that independent readers agree on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.codecs.sniff import recognise
from aevents.registry import codecs
from aevents.testing import decode
from aevents.types import EventBatch
from tests.conftest import RECORDINGS

TRUTH = {
    name: row
    for file in ("truth_other_kinds.json", "truth.json")
    if RECORDINGS.is_dir()
    for name, row in json.loads((RECORDINGS / file).read_text()).items()
    if file == "truth.json" or row["format"] in ("aer", "mcap")  # what is plain events in the other
}
FORMATS = {codec.name for codec in codecs()} | {"h5", "bag"}
BY_PATH = {"h5"}
"""Formats that are read by path: they are never cut."""
ROWS = sorted(name for name, row in TRUTH.items() if row["format"] in FORMATS)


CUT = [
    name
    for name in ROWS
    if TRUTH[name]["count"] <= 20_000
    and TRUTH[name]["format"] not in BY_PATH
    and (RECORDINGS / name).is_file()
]


def checksums(batch: EventBatch) -> dict[str, str]:
    return {
        name: hashlib.sha256(np.ascontiguousarray(column, dtype).tobytes()).hexdigest()
        for name, column, dtype in (
            ("t", batch.t, "<i8"),
            ("x", batch.x, "<u2"),
            ("y", batch.y, "<u2"),
            ("p", batch.p, "u1"),
        )
    }


def assert_true(batch: EventBatch, name: str) -> None:
    row = TRUTH[name]
    assert len(batch) == row["count"]
    assert checksums(batch) == row["sha256"]


def test_the_recordings_are_there(recordings: Path) -> None:
    assert len(ROWS) == len(TRUTH) > 50  # no row is left out


@pytest.mark.parametrize("name", ROWS)
def test_a_recording_is_read_right(name: str) -> None:
    assert_true(aevents.load(RECORDINGS / name), name)


@pytest.mark.parametrize("name", ROWS)
async def test_a_recording_is_read_right_in_an_event_loop(name: str) -> None:
    assert_true(await aevents.open(RECORDINGS / name).collect(), name)


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("size", [1, 7, 4099])
def test_a_recording_is_read_right_however_it_is_cut(name: str, size: int) -> None:
    data = (RECORDINGS / name).read_bytes()
    if size == 1 and not name.endswith(".npz"):  # which has its index at the end
        data = data[:60_000]
    codec = recognise(data, codecs, name)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    options = {"sensor": None, "strict": False}
    whole, cut = decode(codec, [data], **options), decode(codec, chunks, **options)
    one, other = (
        EventBatch.concat([item for item in items if isinstance(item, EventBatch)])
        for items in (whole, cut)
    )
    assert checksums(one) == checksums(other)
    if size != 1:
        assert_true(other, name)
