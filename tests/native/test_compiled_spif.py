"""C equals the twins, at every level; nothing is written outside."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from .kernels import COMPILED, implementation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")

FIELDS = ("started", "time", "heard", "doubt", "latest", "off_sensor", "absurd_times", "time_jumps",
          "torn_bytes", "stale_bytes")  # fmt: skip
SENSOR = 40, 30


def everything(
    kernels: ModuleType, messages: Sequence[tuple[bytes, int]]
) -> tuple[list[object], dict[str, int]]:
    """Decode messages of datagrams of a size; return all events and the state."""
    state, out, come = kernels.spif_state(*SENSOR), kernels.columns(), kernels.datagrams()
    events: list[object] = []
    for number, (data, segment) in enumerate(messages):
        come.clear()
        come.put(data)
        come.segment[0] = segment
        kernels.spif_decode(come, 1000 * number, state, out)
        columns = (out.t, out.x, out.y, out.p)
        events += zip(*(column[: out.n].tolist() for column in columns), strict=True)
    return events, {name: int(getattr(state, name)) for name in FIELDS}


def messages_like(seed: int, count: int) -> list[tuple[bytes, int]]:
    """Return messages such as come, and such as do not."""
    draw = random.Random(seed)
    time, found = draw.getrandbits(32), [b""]
    for _ in range(count):
        words: list[int] = []
        for _ in range(draw.choice([0, 1, 16, 32, 40, 90])):
            place = draw.randrange(41) << 16 | draw.randrange(2) << 15 | draw.randrange(30)
            if draw.random() < 0.5:
                words.append(1 << 31 | place)
            else:
                time += draw.choice([0, 1, 90, -3] * 20 + [70_000_000, -2_000_000, 1 << 31])
                words += [place, time & 0xFFFFFFFF]
        data = struct.pack(f"<{len(words)}I", *words)
        if draw.random() < 0.3:  # AEStream's last
            data += (found[-1][len(data) : 2 * len(data)] + bytes(len(data)))[: len(data)]
        if draw.random() < 0.2:
            steps = [part for k in range(32) for part in (5 << 16 | k, (time + k) & 0xFFFFFFFF)]
            data = struct.pack("<64I", *steps)
        found.append(data + draw.randbytes(draw.choice([0] * 9 + [1, 2, 3, 50])))
    return [(data, draw.choice([len(data), len(data), 256, 12, 7, 0])) for data in found]


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("seed", range(40))
def test_c_reads_what_the_twin_reads(isa: str, seed: int) -> None:
    messages = messages_like(seed, 40)
    assert everything(implementation(isa), messages) == everything(twins, messages)


@pytest.mark.parametrize("isa", COMPILED)
@settings(max_examples=100, deadline=None)
@given(noise=st.lists(st.binary(max_size=300), max_size=4), segment=st.integers(0, 70))
def test_c_reads_noise_as_the_twin_does(isa: str, noise: list[bytes], segment: int) -> None:
    messages = [(data, segment) for data in noise]
    assert everything(implementation(isa), messages) == everything(twins, messages)


@pytest.mark.parametrize("isa", COMPILED)
def test_nothing_is_written_outside(isa: str) -> None:
    from aevents._native._kernels import ffi, lib

    kernels, guard, capacity = implementation(isa), 64, 500
    kernels.columns  # noqa: B018 - looking it up selects the level
    come, room = kernels.datagrams(), {}
    for data, _ in messages_like(7, 60):
        come.put(data)
    come.c.count = come.count
    columns = ffi.new("ae_columns *", {"capacity": capacity})
    for name, size in {"t": 8, "x": 2, "y": 2, "p": 1}.items():
        room[name] = np.full(guard + size * capacity + guard, 0xA5, np.uint8)
        kind = ffi.typeof(getattr(columns, name))
        setattr(columns, name, ffi.cast(kind, ffi.from_buffer(room[name]) + guard))
    state, reached, turns = kernels.spif_state(0, 0), 0, 0
    while reached < come.count:
        columns.n = 0
        last, reached = reached, lib.ae_spif_decode(come.c, reached, 5, state, columns)
        assert last < reached
        assert columns.n <= capacity
        turns += 1
    assert turns > 1
    for name, array in room.items():
        assert (np.concatenate([array[:guard], array[-guard:]]) == 0xA5).all(), name


@given(
    st.lists(
        st.tuples(
            st.integers(-5, 1 << 40), st.integers(0, 70), st.integers(0, 70), st.integers(0, 1)
        )
    ),
    st.booleans(),
    st.sampled_from([(0, 0), (64, 64), (200, 100)]),
)
def test_c_writes_what_the_twin_writes(
    events: list[tuple[int, int, int, int]], timestamps: bool, size: tuple[int, int]
) -> None:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    columns = (
        np.array(t, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, bool),
    )
    one, other = (
        kernels.spif_encode(*columns, timestamps=timestamps, size=size)
        for kernels in (twins, implementation("base"))
    )
    assert one == other
