"""C equals the twins, at every level; cuts change nothing; nothing is written outside."""

from __future__ import annotations

import inspect
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aevents._native import twins

from .kernels import COMPILED, FORMATS, arrays, decode, encode, implementation, packed, state_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    Event = tuple[int, int, int, int]

pytestmark = pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")

KINDS = ["evt2", "evt21", "evt3", "evt4", "dat"]

# Types of words, as often as given: like a camera's; mostly vectors; anything.
MIXES = {
    "evt2": ["0" * 40 + "1" * 40 + "88a", "0188afde", "0123456789abcdef"],
    "evt3": ["2" * 60 + "0" * 20 + "6688g", "gggg0268ag345", "0123456789abcdefgg"],
    "evt21": ["0" * 40 + "1" * 40 + "88a", "0188aef", "0123456789abcdef"],
    "evt4": ["a" * 40 + "b" * 40 + "cdee9", "ccccddddabe9", "0123456789abcdef"],
    "dat": ["0"],
}
FIRST = {"evt2": 0x80000010, "evt21": 8 << 60 | 16 << 32, "evt3": 0x8010, "evt4": 0xE0000010}
TIME_HIGH = {"evt4": "e"}  # all others: 8


def words_like(kind: str, mix: str, count: int, seed: int) -> bytes:
    """Return `count` random words or more, their types drawn from `mix` (`g`: an EVT3 group)."""
    draw = random.Random(seed)
    size = FORMATS[kind]
    words: list[int] = [FIRST.get(kind, 0)] * draw.choice([0, 1])
    recent, unit = draw.getrandbits(12), 1 << 32 if kind == "evt21" else 1
    for name in draw.choices(mix, k=count):
        value = draw.getrandbits(8 * size - 4)
        if kind == "dat":  # times mostly near each other, at times anywhere
            recent = draw.choice([recent + draw.randrange(9)] * 50 + [draw.getrandbits(32)])
            words.append(recent & 0xFFFFFFFF | draw.getrandbits(32) << 32)
        elif name == "g":
            sparse = draw.getrandbits(32) & draw.getrandbits(32) & draw.getrandbits(32)
            words += [0x3000 | value, 0x4000 | sparse & 0xFFF, 0x4000 | sparse >> 12 & 0xFFF]
            words.append(0x5000 | sparse >> 24)
        elif name == TIME_HIGH.get(kind, "8"):  # mostly said again
            recent = draw.choice([recent] * 5 + [recent + unit, value])
            words.append(int(name, 16) << 8 * size - 4 | recent & (1 << 8 * size - 4) - 1)
        else:
            words.append(int(name, 16) << 8 * size - 4 | value)
    return packed(words, size)


STREAMS = [(kind, mix) for kind in KINDS for mix in MIXES[kind]]


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize(("kind", "mix"), STREAMS)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 30), count=st.integers(0, 900), data=st.data())
def test_c_reads_what_the_twin_reads(
    isa: str, kind: str, mix: str, seed: int, count: int, data: st.DataObject
) -> None:
    words = words_like(kind, mix, count, seed)
    cuts = data.draw(st.lists(st.integers(0, count + 10), max_size=4))
    capacity = data.draw(st.sampled_from([65, 97, 130, 1000, 32768]))
    options: dict[str, Any] = {}
    if kind == "dat":
        options = {"version": seed % 2 + 1, "triggers": seed // 2 % 2}
    if kind == "evt21":
        options = {"legacy": seed % 4 == 0}
    whole = decode(twins, kind, words, **options)
    assert (
        decode(implementation(isa), kind, words, cuts=cuts, capacity=capacity, **options) == whole
    )
    assert decode(twins, kind, words, cuts=cuts, capacity=capacity, **options) == whole


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=400))
def test_c_reads_noise_as_the_twin_does(isa: str, kind: str, noise: bytes) -> None:
    assert decode(implementation(isa), kind, noise) == decode(twins, kind, noise)


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize(("kind", "mix"), STREAMS)
@pytest.mark.parametrize("capacity", [65, 66, 95, 96, 97, 127, 128, 129, 161, 333])
def test_a_level_stops_where_the_twin_stops(isa: str, kind: str, mix: str, capacity: int) -> None:
    words = words_like(kind, mix, 600, capacity)
    kernels = implementation(isa)
    ends = []
    for one in (twins, kernels):
        state, out = getattr(one, f"{kind}_state")(), one.columns(capacity)
        stops = [getattr(one, f"{kind}_decode")(words, 0, state, out)]
        while len(stops) < 2 or stops[-1] != stops[-2]:
            stops.append(getattr(one, f"{kind}_decode")(words, stops[-1], state, out))
        ends.append(stops)
    assert ends[0] == ends[1]


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize(("kind", "mix"), STREAMS)
@pytest.mark.parametrize("capacity", [0, 63, 64, 65, 79, 80, 101, 128, 193])
def test_nothing_is_written_outside(isa: str, kind: str, mix: str, capacity: int) -> None:
    from aevents._native._kernels import ffi, lib

    words = words_like(kind, mix, 2000, capacity)
    sizes = {"t": 8, "x": 2, "y": 2, "p": 1}
    room, guard, few = {}, 64, capacity % 3
    c = ffi.new("ae_columns *", {"capacity": capacity, "trigger_capacity": few})
    sizes |= {"trigger_t": 8, "trigger_id": 1, "trigger_value": 1}
    for name, size in sizes.items():
        count = few if name.startswith("trigger") else capacity
        room[name] = np.full(guard + size * count + guard, 0xA5, np.uint8)
        kind_of_pointer = ffi.typeof(getattr(c, name))
        setattr(c, name, ffi.cast(kind_of_pointer, ffi.from_buffer(room[name]) + guard))
    implementation(isa).columns  # noqa: B018 - looking it up selects the level
    state, at = getattr(implementation(isa), f"{kind}_state")(), 0
    source = ffi.from_buffer("uint8_t[]", words)
    decode_words = getattr(lib, f"ae_{kind}_decode")
    for triggers in range(40):
        c.n, c.triggers = 0, triggers % (few + 1)
        size = FORMATS[kind]
        at += size * decode_words(source + at, (len(words) - at) // size, state, c)
        assert c.n <= capacity
        assert c.triggers <= few
    for name in sizes:
        edges = np.concatenate([room[name][:guard], room[name][-guard:]])
        assert (edges == 0xA5).all(), name


events = st.tuples(
    st.integers(0, 40),
    st.sampled_from([0, 1, 2, 3, 5, 8, 13, 30, 31, 32, 33, 63, 64, 200, 255]),
    st.integers(0, 2),
    st.integers(0, 1),
)
steps = st.sampled_from([0] * 30 + [1, 1, 1, 63, 64, 4096, -1, -2, -5000, 1 << 23, 1 << 24, 1 << 31,
                        1 << 33, (1 << 33) + 64, 1 << 34, 3 << 34])  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> Sequence[Event]:
    """Draw events whose time mostly stands or creeps, and at times leaps or falls."""
    t = draw(st.sampled_from([0, 1, 5000, 1 << 24, (1 << 32) - 5, (1 << 34) - 100, 5 << 34]))
    found: list[Event] = []
    for _, x, y, p in draw(st.lists(events, max_size=60)):
        t = max(0, t + draw(steps))
        found.append((t, x, y, p))
    return found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120, deadline=None)
@given(
    found=streams(), width=st.sampled_from([0, 31, 32, 40, 64, 260, 1280]), cut=st.integers(0, 60)
)
def test_c_writes_what_the_twin_writes_and_both_read_it_back(
    kind: str, found: Sequence[Event], width: int, cut: int
) -> None:
    all_of_them = [twins, *map(implementation, COMPILED)]
    states = [one.encoder_state(width=width) for one in all_of_them]
    for piece in (found[:cut], found[cut:]):
        data = [
            getattr(one, f"{kind}_encode")(*arrays(piece), state)
            for one, state in zip(all_of_them, states, strict=True)
        ]
        assert data == data[:1] * len(data)
        assert all(state_of(state) == state_of(states[0]) for state in states)
    whole, state = encode(implementation("base"), kind, found, width=width)
    written = list(found[: state["next"]])
    assert state["refused"] == (len(written) < len(found))
    for isa in COMPILED:
        assert decode(implementation(isa), kind, whole).events == written


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("kind", ["evt21", "evt4"])
def test_neighbours_are_written_as_the_twin_writes_them(kind: str, legacy: bool, isa: str) -> None:
    draw = random.Random(7)
    t, found = 0, []
    for most in (1, 2, 3, 4, 8, 16, 32) * 30:
        t += draw.choice([0, 0, 0, 1, 1, 30])
        base, y, p = 32 * draw.randrange(64), draw.randrange(3), draw.randrange(2)
        columns = sorted(draw.sample(range(32), draw.randint(1, most)))
        found += [(t, base + column, y, p) for column in columns]
    compiled = implementation(isa)
    whole, state = encode(twins, kind, found, legacy=legacy)
    assert encode(compiled, kind, found, legacy=legacy) == (whole, state)
    for place in range(200, 220):
        for odd in ((t, 2048, 0, 0), (t, 0, 65535, 0), (-1, 0, 0, 1)):
            events = [*found[:place], odd, *found[place:]]
            assert encode(compiled, kind, events) == encode(twins, kind, events)


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("kind", KINDS)
def test_little_room_writes_the_same_bytes(kind: str, isa: str) -> None:
    from aevents._native._kernels import ffi, lib

    draw = random.Random(5)
    t, found = 3 << 34 if kind != "dat" else 0, []
    for _ in range(300):
        t += draw.choice([0, 0, 0, 1, 70, 5000, 1 << 25 if kind != "dat" else 1])
        found.append((t, draw.randrange(1280), draw.randrange(3), draw.randrange(2)))
    whole, _ = encode(twins, kind, found, width=1280)
    t_x_y_p = arrays(found)
    c = ffi.new("ae_columns *", {"n": len(found)})
    kept = [ffi.from_buffer(f"{name}[]", column) for name, column in
            zip(["int64_t", "uint16_t", "uint16_t", "uint8_t"], t_x_y_p, strict=True)]  # fmt: skip
    c.t, c.x, c.y, c.p = kept
    state, data = ffi.new("ae_encoder *", {"width": 1280, "version": 2}), b""
    implementation(isa).columns  # noqa: B018 - looking it up selects the level
    while state.next < len(found):
        room = np.full(16 + draw.randrange(draw.choice([20, 300])) + 64, 0xA5, np.uint8)
        size = getattr(lib, f"ae_{kind}_encode")(c, state, ffi.from_buffer(room), len(room) - 64)
        assert 0 < size <= len(room) - 64
        assert (room[-64:] == 0xA5).all()
        data += room[:size].tobytes()
    assert data == whole


def test_the_levels_are_those_asked_for() -> None:
    """A rebuilt package says which it must have, so that none goes untested unseen."""
    if "AEVENTS_LEVELS" in os.environ:
        assert os.environ["AEVENTS_LEVELS"].split() == COMPILED
        assert Path(os.environ["AEVENTS_REBUILT"]) in Path(twins.__file__).parents


def test_the_modules_have_the_same_functions() -> None:
    from aevents._native import compiled

    for name in twins.__all__:
        if inspect.isfunction(getattr(twins, name)):
            assert inspect.signature(getattr(compiled, name)) == inspect.signature(
                getattr(twins, name)
            ), name


@pytest.mark.parametrize("start", [-1, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_start_outside_the_data_is_an_error(kind: str, start: int) -> None:
    for kernels in (twins, implementation("base")):
        state = getattr(kernels, f"{kind}_state")()
        with pytest.raises(ValueError, match=f"start {start} is outside the 8 bytes of data"):
            getattr(kernels, f"{kind}_decode")(bytes(8), start, state, kernels.columns())
