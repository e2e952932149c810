"""AEDAT with bytes lost, added, flipped and cut off: what it costs."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from aevents import Damage, DecodeError, EventBatch, Sensor
from aevents.codecs.aedat4_write import Aedat4Encoder, Compression
from aevents.registry import codec
from aevents.testing import decode, encode
from tests.recordings import CAER, DAVIS346, END

COUNT = 120_000
SENSOR = Sensor(346, 260, "DAVIS346")


def scene(rate_mhz: float, sensor: Sensor = SENSOR) -> EventBatch:
    draw = np.random.default_rng(1)
    t = 1_000_000 + np.cumsum(draw.exponential(1 / rate_mhz, COUNT)).astype(np.int64)
    x, y = draw.integers(0, sensor.width, COUNT), draw.integers(0, sensor.height, COUNT)
    return EventBatch.from_columns(t=t, x=x, y=y, p=draw.integers(0, 2, COUNT), sensor=sensor)


def aedat1(events: EventBatch) -> bytes:
    address = (127 - events.y % 128) << 8 | (127 - events.x % 128) << 1 | events.p
    records = np.zeros(len(events), [("address", ">u2"), ("t", ">u4")])
    records["address"], records["t"] = address, events.t
    return b"#!AER-DAT1.0\r\n" + END + records.tobytes()


def aedat2(events: EventBatch) -> bytes:
    x, y = 345 - events.x.astype(np.uint32), 259 - events.y.astype(np.uint32)
    words = np.stack([y << 22 | x << 12 | events.p.astype(np.uint32) << 11, events.t], 1)
    return DAVIS346 + END + words.astype(">u4").tobytes()


def aedat3(events: EventBatch) -> bytes:
    x, y, p = (column.astype(np.uint32) for column in (events.x, events.y, events.p))
    words = np.stack([x << 17 | y << 2 | p << 1 | 1, events.t], 1).astype("<u4")
    parts = [CAER]
    for at in range(0, len(words), 4096):
        part = words[at : at + 4096]
        parts.append(struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *[len(part)] * 3) + part.tobytes())
    return b"".join(parts)


def aedat4(compression: Compression) -> Callable[[EventBatch], bytes]:
    return lambda events: encode(Aedat4Encoder(compression=compression), [events])


FORMATS: dict[str, tuple[str, Callable[[EventBatch], bytes], int]] = {
    "aedat 1.0": ("aedat2", aedat1, 1),
    "aedat 2.0": ("aedat2", aedat2, 1),
    "aedat 3.1": ("aedat3", aedat3, 2),
    "aedat 4.0": ("aedat4", aedat4("none"), 3),
    "aedat 4.0 lz4": ("aedat4", aedat4("lz4"), 10_000),
    "aedat 4.0 zstd": ("aedat4", aedat4("zstd"), 10_000),
}
"""Codec, how events are written, and how many one flipped bit may cost: in compressed packets
those of the packet."""


@pytest.fixture(scope="module", params=FORMATS)
def recording(request: pytest.FixtureRequest) -> tuple[str, bytes, EventBatch, int]:
    """Codec, bytes, the events they mean, and what one flipped bit may cost."""
    name, write, cost = FORMATS[request.param]
    data = write(scene(0.5))
    events, _, _ = read(name, data)
    assert len(events) == COUNT
    return name, data, events, cost


def read(name: str, data: bytes) -> tuple[EventBatch, dict[str, int], list[Damage]]:
    decoder = codec(name).decoder()
    items = [*decoder.feed(data), *decoder.flush()]
    batches = [item for item in items if isinstance(item, EventBatch)]
    return EventBatch.concat(batches), dict(decoder.counts), list(getattr(decoder, "damage", ()))


def lost(events: EventBatch, found: EventBatch) -> int:
    """Return how many of the events are not among those that were found."""
    (mine, counts), (theirs, there) = (
        np.unique(keys(batch), return_counts=True) for batch in (events, found)
    )
    _, here, other = np.intersect1d(mine, theirs, return_indices=True)
    return len(events) - int(np.minimum(counts[here], there[other]).sum())


def keys(events: EventBatch) -> npt.NDArray[np.int64]:
    return events.t << 24 ^ events.x.astype(np.int64) << 10 ^ events.y * 2 + events.p


@pytest.mark.timeout(120)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 1001])
@pytest.mark.parametrize("added", [False, True])
def test_bytes_lost_or_added_cost_little(
    recording: tuple[str, bytes, EventBatch, int], size: int, added: bool
) -> None:
    name, data, events, cost = recording
    draw = random.Random(size)
    at = draw.randrange(len(data) // 3, 2 * len(data) // 3)
    bent = data[:at] + (draw.randbytes(size) + data[at:] if added else data[at + size :])
    found, counts, damage = read(name, bent)
    gone = 0 if added else size * len(events) // (len(data) * 9 // 10)
    assert lost(events, found) <= gone + max(cost, len(events) // 10_000)
    assert events.t[0] <= found.t.min()
    assert found.t.max() <= events.t[-1]
    if size % 8 and name != "aedat2":
        assert counts
        assert min(abs(one.offset - at) for one in damage) < 1 << 17
        with pytest.raises(DecodeError):
            decode(codec(name), [bent], strict=True)


@pytest.mark.timeout(240)
def test_a_flipped_bit_costs_little(recording: tuple[str, bytes, EventBatch, int]) -> None:
    name, data, events, cost = recording
    draw, head = random.Random(3), data.index(b"</dv>") + 8 if name == "aedat4" else 150
    for _ in range(25):
        bit = draw.randrange(8 * head, 8 * len(data))
        bent = bytearray(data)
        bent[bit // 8] ^= 1 << bit % 8
        assert lost(events, read(name, bytes(bent))[0]) <= cost, bit


def test_a_file_that_is_cut_off_loses_nothing_before(
    recording: tuple[str, bytes, EventBatch, int],
) -> None:
    name, data, events, cost = recording
    for at in (len(data) // 3, len(data) // 2 + 5):
        found, counts, _ = read(name, data[:at])
        assert set(counts) <= {"torn_bytes", "missing_events"}
        for column in "txyp":
            expected = getattr(events, column)[: len(found)]
            np.testing.assert_array_equal(getattr(found, column), expected)
        size = (len(data) - at) // 9 * 10 if cost > 100 else 0  # compressed: by packet
        whole = 0 if size else len(events) * at // len(data) - 100
        assert len(found) >= whole


def test_damage_is_found_however_the_input_is_cut(
    recording: tuple[str, bytes, EventBatch, int],
) -> None:
    name, data, _, _ = recording
    data = data[: len(data) // 2]
    at = len(data) // 2
    bent = data[:at] + data[at + 1001 :]
    whole, counts, damage = read(name, bent)
    decoder = codec(name).decoder()
    chunks = [bent[start : start + 4099] for start in range(0, len(bent), 4099)]
    items = [item for chunk in chunks for item in decoder.feed(chunk)] + list(decoder.flush())
    found = EventBatch.concat([item for item in items if isinstance(item, EventBatch)])
    for column in "txyp":
        np.testing.assert_array_equal(getattr(found, column), getattr(whole, column))
    assert (dict(decoder.counts), list(getattr(decoder, "damage", ()))) == (counts, damage)
