"""Damaged recordings: what was lost is little, nothing is put where it was not, and the `Report`
says where.

Each row is a format; the recordings are of a dense scene, a sparse one, and real ones where they
are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pytest

from aevents import Damage, DecodeError, EventBatch, Sensor
from aevents.codecs.base import Codec
from aevents.registry import codecs
from aevents.testing import encode
from tests.conftest import RECORDINGS

Integers = npt.NDArray[np.int64]

FORMATS = {"evt2": 4, "evt21": 8, "evt3": 2, "evt4": 4, "dat": 8}  # bytes of a word
HIGH = {"evt2": 0x8, "evt21": 0x8, "evt3": 0x8, "evt4": 0xE}
"""The type of the words that hold the upper bits of time, in the top four bits of a word."""

MOST_EVENTS_A_BIT = 100
NEAR_BYTES = 65_536

DENSE_HZ, SPARSE_HZ = 10e6, 10e3
REAL = {
    "expelliarmus_evt2_sample.raw": "evt2",
    "expelliarmus_evt3_sample.raw": "evt3",
    "spec_evt21_le.raw": "evt21",
    "evutils_evt4.raw": "evt4",
    "openeb_dat.dat": "dat",
}


class Recording(NamedTuple):
    """A healthy recording, and what it holds."""

    codec: Codec
    data: bytes
    whole: EventBatch
    body: int  # where its words begin


def codec_of(name: str) -> Codec:
    return next(one for one in codecs() if one.name == name)


def scene(rate_hz: float, count: int) -> EventBatch:
    random = np.random.default_rng(0)
    t = 5_000_000 + np.cumsum(random.exponential(1e6 / rate_hz, count)).astype(np.int64)
    x, y, p = (random.integers(0, top, count) for top in (640, 480, 2))
    return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=Sensor(640, 480))


@cache
def recording(name: str) -> Recording:
    if name in REAL:
        if not (RECORDINGS / name).is_file():
            pytest.skip("no recordings here")
        codec, data = codec_of(REAL[name]), (RECORDINGS / name).read_bytes()
    else:
        format, kind = name.split()
        codec = codec_of(format)
        assert codec.encoder is not None
        batch = scene(DENSE_HZ, 150_000) if kind == "dense" else scene(SPARSE_HZ, 15_000)
        data = encode(codec.encoder(), [batch])
    header = re.match(rb"(% .*\n)*", data)
    assert header is not None
    body = header.end() + (2 if codec.name == "dat" else 0)
    return Recording(codec, data, read(codec, data)[0], body)


MADE = [f"{format} {kind}" for format in FORMATS for kind in ("dense", "sparse")]
RECORDED = [*MADE, *REAL]


def read(codec: Codec, data: bytes) -> tuple[EventBatch, list[Damage], dict[str, int]]:
    decoder = codec.decoder()
    items = [*decoder.feed(data), *decoder.flush()]
    batches = [item for item in items if isinstance(item, EventBatch)]
    damage = cast("list[Damage]", decoder.damage)  # type: ignore[attr-defined]  # optional
    return EventBatch.concat(batches), damage, dict(decoder.counts)


def keys(batch: EventBatch) -> Integers:
    x, y, p = (column.astype(np.int64) for column in (batch.x, batch.y, batch.p))
    return batch.t << 23 | x << 12 | y << 1 | p


def lost(expected: Integers, found: Integers) -> int:
    """Return how many of the expected events are not found, exactly as they were."""
    ends = min(len(expected), len(found))
    same = expected[:ends] == found[:ends]
    start = ends if same.all() else int(np.argmin(same))
    same = expected[len(expected) - ends :] == found[len(found) - ends :]
    stop = min(ends if same.all() else int(np.argmin(same[::-1])), ends - start)
    expected, found = (one[start : len(one) - stop] for one in (expected, found))
    values, counts = np.unique(np.concatenate([expected, found]), return_counts=True)
    where = np.searchsorted(values, found)
    counts -= 2 * np.bincount(
        where, minlength=len(values)
    )  # what was expected, less what was found
    return int(counts[counts > 0].sum())


def assert_little_is_lost(one: Recording, damaged: bytes, start: int, end: int) -> None:
    """Check what is read when the bytes from `start` to `end` are not what they were."""
    found, damage, counts = read(one.codec, damaged)
    beyond = keys(one.whole)[len(read(one.codec, one.data[:end])[0]) :]
    missing = lost(beyond, keys(found))
    assert missing <= len(beyond) / 100, f"{missing} of {len(beyond)}: {counts}"
    first, last = one.whole.t.min(), one.whole.t.max()
    outside = (found.t < first) | (found.t > last)
    assert not outside.any(), f"{found.t[outside][:5]} is outside {first}-{last}: {counts}"
    if (len(damaged) - len(one.data)) % FORMATS[one.codec.name]:
        assert damage
        assert min(abs(place.offset - start) for place in damage) < NEAR_BYTES


def places(one: Recording, count: int, seed: int) -> list[int]:
    random = np.random.default_rng(seed)
    size = len(one.data)
    return cast("list[int]", random.integers(one.body + 2000, size * 3 // 4, count).tolist())


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("size", [1001, 1, 2, 3, 7, 1000])
def test_what_lies_beyond_missing_bytes_is_read(name: str, size: int) -> None:
    one = recording(name)
    for place in places(one, 4, size):
        damaged = one.data[:place] + one.data[place + size :]
        assert_little_is_lost(one, damaged, place, place + size)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("size", [1, 3])
def test_what_lies_beyond_bytes_that_do_not_belong_is_read(name: str, size: int) -> None:
    one = recording(name)
    noise = np.random.default_rng(size)
    for place in places(one, 4, 100 + size):
        damaged = one.data[:place] + noise.bytes(size) + one.data[place:]
        assert_little_is_lost(one, damaged, place, place)


def bits_of_times(one: Recording) -> Iterator[int]:
    """Yield every bit of the first, the second, the last and some other words of time."""
    size = FORMATS[one.codec.name]
    words = np.frombuffer(one.data[one.body :], f"<u{size}", (len(one.data) - one.body) // size)
    high = np.flatnonzero(words >> (8 * size - 4) == HIGH.get(one.codec.name, 0xFF))
    for index in {*high[:2].tolist(), *high[len(high) // 2 :][:2].tolist(), *high[-1:].tolist()}:
        yield from range(8 * (one.body + size * index), 8 * (one.body + size * index + size))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", RECORDED)
def test_a_flipped_bit_costs_few_events(name: str) -> None:
    one = recording(name)
    random = np.random.default_rng(0)
    anywhere = random.integers(8 * one.body, 8 * len(one.data), 200).tolist()
    whole = keys(one.whole)
    for bit in (*anywhere, *bits_of_times(one)):
        damaged = bytearray(one.data)
        damaged[bit // 8] ^= 1 << bit % 8
        found, _, counts = read(one.codec, bytes(damaged))
        cost = max(lost(whole, keys(found)), lost(keys(found), whole))
        assert cost <= MOST_EVENTS_A_BIT, f"bit {bit} cost {cost} events: {counts}"


@pytest.mark.parametrize("name", MADE)
def test_a_recording_that_is_cut_off_loses_nothing_before_the_cut(name: str) -> None:
    one = recording(name)
    whole = keys(one.whole)
    for size in (*range(one.body, one.body + 200), *places(one, 10, 1)):
        found, _, counts = read(one.codec, one.data[:size])
        assert (keys(found) == whole[: len(found)]).all()
        assert set(counts) <= {"torn_bytes"}
    word = FORMATS[one.codec.name]
    last = one.body + (len(one.data) - one.body) // word * word
    assert len(read(one.codec, one.data[: last - word])[0]) >= len(whole) - 32


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("size", [1, 4099, 200_000])
def test_damage_is_read_the_same_however_it_is_cut(name: str, size: int) -> None:
    one = recording(name)
    start, place = one.body, one.body + 3000
    damaged = bytearray(one.data[:place] + one.data[place + 1001 : 40_000])
    for bit in np.random.default_rng(3).integers(8 * start, 8 * len(damaged), 30):
        damaged[bit // 8] ^= 1 << bit % 8
    whole, damage, counts = read(one.codec, bytes(damaged))
    decoder = one.codec.decoder()
    chunks = [bytes(damaged[at : at + size]) for at in range(0, len(damaged), size)]
    items = [item for chunk in chunks for item in decoder.feed(chunk)] + [*decoder.flush()]
    cut = EventBatch.concat([item for item in items if isinstance(item, EventBatch)])
    assert (keys(cut) == keys(whole)).all()
    assert dict(decoder.counts) == counts
    assert decoder.damage == damage  # type: ignore[attr-defined]  # optional


@pytest.mark.parametrize("name", MADE)
def test_strict_raises_where_the_damage_is(name: str) -> None:
    one = recording(name)
    place = one.body + 30_001
    damaged = one.data[:place] + one.data[place + 1001 :]
    (damage, *_), decoder = read(one.codec, damaged)[1], one.codec.decoder(strict=True)
    with pytest.raises(DecodeError) as caught:
        list(decoder.feed(damaged)) + list(decoder.flush())
    assert caught.value.offset is not None
    assert caught.value.offset <= damage.offset
    assert abs(caught.value.offset - place) < NEAR_BYTES


def test_true_recordings_are_not_damaged() -> None:
    path = RECORDINGS / "truth.json"
    rows = json.loads(path.read_text()) if path.is_file() else {}
    for name, row in rows.items():
        if row["format"] in FORMATS:
            assert read(codec_of(row["format"]), (RECORDINGS / name).read_bytes())[1] == []


@pytest.mark.parametrize("gap_us", [1e3, 1e5, 5e5, 1.1e6, 2.6e6, 7e6, 3e7, 3e8])
@pytest.mark.parametrize("format", FORMATS)
def test_long_pauses_are_no_damage(format: str, gap_us: float) -> None:
    codec, random = codec_of(format), np.random.default_rng(int(gap_us))
    assert codec.encoder is not None
    for start in (0, 123_456_789):
        t = start + np.cumsum(random.exponential(gap_us, 500)).astype(np.int64)
        x, y, p = (random.integers(0, top, 500) for top in (640, 480, 2))
        batch = EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=Sensor(640, 480))
        found, damage, counts = read(codec, encode(codec.encoder(), [batch]))
        assert (damage, counts) == ([], {})
        assert (keys(found) == keys(batch)).all()
