"""AEDAT: C equals the twins, at every level."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins
from tests.native.kernels import COMPILED, implementation
from tests.native.twins.test_aedat import (
    DAVIS,
    DVS,
    ROOM,
    SIZES,
    creeping,
    decode,
    packed,
    packet,
    packets,
)

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")


def like(kind: str, count: int, seed: int) -> bytes:
    """Return records whose time mostly creeps and at times leaps; few are no events."""
    draw, time, records = random.Random(seed), random.Random(seed).getrandbits(32), []
    rare = draw.choice([0, 0, 1, 30])
    for _ in range(count):
        time += draw.choice([0, 1, 900, 40_000] if rare == 30 else [0, 0, 1, 7])
        if draw.randrange(100) < rare:
            time = draw.getrandbits(32)
        other = draw.randrange(100) < rare
        if kind == "aedat4":
            records.append(struct.pack("<qIi", time, draw.getrandbits(32), draw.getrandbits(31)))
        elif kind == "aedat3":
            word = draw.getrandbits(32) | 1
            records.append(struct.pack("<II", word & ~other, time & 0xFFFF_FFFF))
        else:
            address = draw.getrandbits(32) & (0xFFFF_FFFF if other else 0x7FFF_FBFF)
            records.append(struct.pack(">II", address, time & 0xFFFF_FFFF))
    return b"".join(records)


@pytest.mark.parametrize("kind", SIZES)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(0, 400),
    capacity=st.sampled_from([65, 97, 130, 32768]),
)
def test_c_reads_what_the_twin_reads(kind: str, seed: int, count: int, capacity: int) -> None:
    fields = {"aedat2": DAVIS, "aedat3": {"base": seed << 31}, "aedat4": {}}[kind]
    data = like(kind, count, seed)
    expected = decode(twins, kind, data, capacity=capacity, **fields)
    for isa in COMPILED:
        assert decode(implementation(isa), kind, data, capacity=capacity, **fields) == expected
    if kind == "aedat2":
        old = decode(twins, kind, data, old=1, **DVS)
        assert decode(implementation("base"), kind, data, old=1, **DVS) == old


@settings(max_examples=100, deadline=None)
@given(data=st.data(), seed=st.integers(0, 1 << 30), capacity=st.sampled_from([130, 32768]))
def test_c_unpacks_what_the_twin_unpacks(data: st.DataObject, seed: int, capacity: int) -> None:
    counts = data.draw(st.lists(st.integers(0, 6_000), min_size=2, max_size=4))
    content = bytearray()
    for number, count in enumerate(counts):
        content += packed(packet(*creeping(count, seed + number)), level=data.draw(LZ4_LEVELS))
    whole = packets(twins, bytes(content), capacity=capacity, room=ROOM)
    for isa in COMPILED:
        found = packets(implementation(isa), bytes(content), capacity=capacity, room=ROOM)
        assert found == whole
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    events, stop, _ = packets(twins, bytes(content), capacity=capacity, room=ROOM)
    for isa in COMPILED:
        found = packets(implementation(isa), bytes(content), capacity=capacity, room=ROOM)
        assert found[1] <= stop  # liblz4 lets pass a match that is no byte back
        assert found[0] == events[: len(found[0])]


LZ4_LEVELS = st.sampled_from([-100, 0, 9])
