"""What the decoders of EVT2, EVT2.1 and EVT4 share."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Sensor
from aevents.codecs.evt2 import Evt2Decoder
from aevents.codecs.evt4 import Evt4Decoder
from aevents.codecs.evt21 import Evt21Decoder
from aevents.codecs.high import HighDecoder, HighWordMender, Types
from aevents.codecs.mend import Turn

TYPES = Types(high=8, events=(0, 1), reserved=(2, 9), vectors=(12,))
EVT2 = b"% format EVT2;width=640;height=480\n% end\n"


def mender(size: int = 4, typed: int = 0) -> HighWordMender:
    return HighWordMender(TYPES, lambda *_, **__: None, 0, layout=(size, typed), first=True)


def packed(*words: int, size: int = 4) -> memoryview:
    return memoryview(np.array(words, f"<u{size}").tobytes())


def test_types_are_sets_of_bits() -> None:
    sets = {"high": 8, "reserved": 1 << 2 | 1 << 9, "events": 0b11, "vectors": 1 << 12}
    assert TYPES.sets() == sets
    words = np.array([0x80000001, 0xC0000000, 0x80000002, 0x80000003], np.uint32)
    assert TYPES.highs(words).tolist() == [True, False, False, True]


@pytest.mark.parametrize(("size", "typed"), [(4, 0), (8, 0), (8, 4)])
def test_words_say_what_they_are(size: int, typed: int) -> None:
    one, halves = mender(size, typed), (0x80000007, 0x17C00000, 0x20000000, 0x80000003)
    words = packed(*(half << 8 * typed for half in halves), size=size)
    marked = one.mark(words, one.state())
    assert marked.tolist() == [0, 2, 3]
    places, values, strange = one.look(words, marked, -1)
    assert (places.tolist(), values.tolist(), strange.tolist()) == ([0, 3], [7, 3], [2])
    found = np.frombuffer(words, f"<u{size}")
    assert one.values(found[[0, 3]]).tolist() == [7, 3]
    lows, are = one.low_bits(found)
    assert (lows[are].tolist(), are.tolist()) == ([31], [False, True, False, False])
    assert [one.find(words, 7, bits).tolist() for bits in (0, 1)] == [[0], [3]]
    assert one.word(7) == 0x80000007


def test_the_past_makes_the_state() -> None:
    one = mender()
    one._past = [3, 4, 5, 9, 10]
    state = one.state()
    assert (state.last, state.time, state.step) == (0x8000000A, 10, 1)
    assert (state.usual, state.usual_before) == (1, 0)
    assert (state.orderly, state.orderly_before) == (4, 3)


def test_a_turn_puts_the_clock_right() -> None:
    decoder = Evt2Decoder()
    decoder.hurry()
    list(decoder.feed(EVT2))
    decoder.turn(Turn(high=0xFFFFFFF))
    (batch,) = decoder.feed(packed(0x00000000))
    decoder.turn(Turn(high=1))  # the clock has rolled over
    (later,) = decoder.feed(packed(0x00000000))
    assert isinstance(batch, EventBatch)
    assert isinstance(later, EventBatch)
    assert (batch.t[0], later.t[0]) == (0xFFFFFFF << 6, (1 << 34) + 64)


def test_behind_lost_bytes_a_word_has_its_type() -> None:
    decoder = Evt4Decoder()
    decoder.hurry()
    list(decoder.feed(b"% format EVT4;width=640;height=480\n% end\n"))
    for lost, events in ((False, 1), (True, 0)):
        list(decoder.feed(packed(0xE0000001, 0xC0000000)))
        decoder.turn(Turn(lost=lost))
        found = [
            len(one) for one in decoder.feed(packed(0x00000001)) if isinstance(one, EventBatch)
        ]
        assert sum(found) == events


@pytest.mark.parametrize("kind", [Evt2Decoder, Evt21Decoder, Evt4Decoder])
def test_before_the_header_nothing_is_located(kind: type[HighDecoder]) -> None:
    assert kind(sensor=Sensor(8, 8)).locate(lambda _offset, _size: b"", 0, 0) is None
