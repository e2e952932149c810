"""The run of a decoder and an encoder of words after a header, whatever the words are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest

from aevents import DecodeError, EncodeError, EventBatch, Sensor, Span, TriggerBatch
from aevents._native import kernels
from aevents._native.columns import Columns
from aevents._native.twins import Ahead, InspectionState
from aevents.codecs.base import Buffer, Codec
from aevents.codecs.header import Header
from aevents.codecs.mend import Mender, Turn
from aevents.codecs.packed import PackedDecoder, PackedEncoder
from aevents.testing import decode, encode

HEADER = b"% format TOY;width=100;height=100\n% end\n"


class ToyAhead:
    """Words to be decoded at sight."""

    def __init__(self, words: bytes) -> None:
        self.words = words


class ToyMender:
    """Hands on words once the input has ended; at 0xFD is a turn. Those that begin with an odd byte
    are to be decoded at sight.
    """

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.held = b""

    def feed(self, data: Buffer, *, final: bool) -> Iterator[memoryview | Turn | Ahead]:
        self.held += data
        while final and len(self.held) > 1:
            word, self.held = self.held[:2], self.held[2:]
            if word[0] == 0xFD:
                yield Turn()
            else:
                yield cast("Ahead", ToyAhead(word)) if word[0] % 2 else memoryview(word)
            self.offset += 2


class ToyDecoder(PackedDecoder):
    """A word is a byte: the time, also as the column; 0xFF is a trigger, 0xFE is odd.

    The body begins with a byte that says how many more to skip.
    """

    name = "toy"
    word_bytes = 2

    def begin(self, header: Header, body: bytes, *, final: bool) -> int | None:
        self.odd = self.turned = 0
        if len(body) < 1 or len(body) < 1 + body[0]:
            if final:
                self._watch.fail("the first byte is missing", offset=header.length)
            return None
        return 1 + body[0]

    def stand(self, *state: int) -> None:
        (self.odd,) = state

    def mender(self, offset: int, *, first: bool) -> Mender:
        return cast("Mender", ToyMender(offset))  # what is used of one

    def turn(self, turn: Turn) -> None:
        self.turned += 1

    def decode(self, run: memoryview, start: int, out: Columns) -> int:
        out.begin()
        value = run[start]
        if value == 0xFF:
            out.triggers = 1
            out.trigger_t[0], out.trigger_id[0], out.trigger_value[0] = 7, 1, 1
        elif value == 0xFE:
            self.odd += 1
        else:
            out.n = 1
            out.t[0], out.x[0], out.y[0], out.p[0] = value, value, run[start + 1], 1
        return start + 2

    def follow(self, ahead: Ahead, seen: InspectionState, out: Columns) -> bool:
        word = cast("ToyAhead", ahead).words
        self.decode(memoryview(word), 0, out)
        kernels.inspect(out.t[: out.n], out.x[: out.n], out.y[: out.n], seen)
        return False

    def anomalies(self) -> dict[str, int]:
        return {"odd_words": self.odd}


class ToyEncoder(PackedEncoder):
    """Writes what `ToyDecoder` reads, up to time 100."""

    name = "toy"
    inputs = 4
    limits = "a toy holds 0 <= t < 100"

    def begin(self, sensor: Sensor, kind: type) -> bytes:
        return HEADER + b"\x00"

    def trigger(self, event: bytes, id: int, value: bool, /) -> bytes:
        return event + bytes((id, value))

    def encode(self, batch: EventBatch) -> tuple[bytes, int | None]:
        late = next((index for index, t in enumerate(batch.t) if t >= 100), None)
        return b"".join(bytes((t, y)) for t, _, y, _ in list(batch)[:late]), late


TOY = Codec("toy", (".toy",), ToyDecoder)


def events(data: bytes, **options: object) -> list[tuple[int, int, int]]:
    items = decode(TOY, [data], **options)
    return [(t, x, y) for one in items if isinstance(one, EventBatch) for t, x, y, _ in one]


def test_words_after_the_header_are_decoded_however_they_are_cut() -> None:
    data = HEADER + b"\x01skip"[:2] + b"\x05\x01\x06\x02"
    assert events(data) == [(5, 5, 1), (6, 6, 2)]
    cut = decode(TOY, [data[i : i + 1] for i in range(len(data))])
    assert [list(one) for one in cut] == [[(5, 5, 1, True)], [(6, 6, 2, True)]]  # type: ignore[call-overload]  # batches


def test_the_sensor_is_the_header_s_unless_given() -> None:
    (batch,) = decode(TOY, [HEADER + b"\x00\x05\x01"])
    assert isinstance(batch, EventBatch)
    assert batch.sensor == Sensor(100, 100)
    (batch,) = decode(TOY, [HEADER + b"\x00\x05\x01"], sensor=Sensor(8, 6))
    assert isinstance(batch, EventBatch)
    assert batch.sensor == Sensor(8, 6)


def test_events_come_at_once_where_there_is_hurry() -> None:
    decoder = ToyDecoder()
    assert not list(decoder.feed(HEADER + b"\x00\x05\x01"))
    decoder = ToyDecoder()
    decoder.hurry()
    (batch,) = decoder.feed(HEADER + b"\x00\x05\x01\x06")
    assert isinstance(batch, EventBatch)
    assert batch.t.tolist() == [5]
    assert decoder.offset == len(HEADER) + 3
    assert not list(decoder.flush())
    assert decoder.counts == {"torn_bytes": 1}


def test_turns_are_made_between_words() -> None:
    decoder = ToyDecoder()
    items = [*decoder.feed(HEADER + b"\x00\x05\x01\xfd\x00\x06\x02"), *decoder.flush()]
    assert [len(item) for item in items if isinstance(item, EventBatch)] == [1, 1]
    assert decoder.turned == 1


def test_t0_of_the_header_is_added_to_every_time() -> None:
    header = b"% t0 1000\n% end\n"
    assert events(header + b"\x00\x05\x01") == [(1005, 5, 1)]
    (triggers, empty) = decode(TOY, [header + b"\x00\xff\x00"])
    assert isinstance(triggers, TriggerBatch)
    assert triggers.t.tolist() == [1007]
    assert isinstance(empty, EventBatch)


def test_an_input_without_events_gives_an_empty_batch_with_the_sensor() -> None:
    (batch,) = decode(TOY, [HEADER + b"\x00"])
    assert isinstance(batch, EventBatch)
    assert (len(batch), batch.sensor) == (0, Sensor(100, 100))


def test_a_torn_word_and_odd_words_are_counted() -> None:
    decoder = ToyDecoder()
    list(decoder.feed(HEADER + b"\x00\xfe\x00\x05\x01\xfe\x00\x06"))
    list(decoder.flush())
    assert decoder.counts == {"odd_words": 2, "torn_bytes": 1}
    with pytest.raises(DecodeError, match="toy: odd words"):
        events(HEADER + b"\x00\xfe\x00", strict=True)


def test_what_lacks_its_beginning_is_refused() -> None:
    with pytest.raises(DecodeError, match="toy: the input is empty"):
        decode(TOY, [])
    with pytest.raises(DecodeError, match="toy: the first byte is missing at byte 40"):
        decode(TOY, [HEADER])


def test_an_encoder_writes_its_header_once_and_even_for_nothing() -> None:
    batch = EventBatch.from_columns(t=[1, 2], x=[1, 2], y=[3, 4], p=[1, 1])
    empty = EventBatch.empty()
    assert encode(ToyEncoder(), []) == HEADER + b"\x00"
    assert encode(ToyEncoder(), [empty]) == HEADER + b"\x00"
    assert encode(ToyEncoder(), [batch, batch]) == HEADER + b"\x00\x01\x03\x02\x04\x01\x03\x02\x04"


def test_a_trigger_is_written_as_an_event_at_its_time_that_is_then_changed() -> None:
    t = np.array([7, 9])
    batch = TriggerBatch(t, np.array([1, 2], np.uint8), t > 7, Sensor(), Span(7, 9))
    assert encode(ToyEncoder(), [batch]) == HEADER + b"\x00\x07\x00\x01\x00\x09\x00\x02\x01"


def triggers(*times: int, id: int = 1) -> TriggerBatch:
    t = np.array(times)
    return TriggerBatch(t, np.full(len(t), id, np.uint8), t > 0, Sensor(), Span(0, 100))


def words(*items: EventBatch | TriggerBatch) -> list[int]:
    """Return the times of all that is written, those of triggers negative."""
    body, found = encode(ToyEncoder(), items)[len(HEADER) + 1 :], []
    while body:
        trigger = body[:4][1:] == b"\0\1\1"
        found.append(-body[0] if trigger else body[0])
        body = body[4 if trigger else 2 :]
    return found


def test_triggers_are_written_in_order_of_time_with_the_events_that_come_next() -> None:
    batch = EventBatch.from_columns(t=[10, 20, 20, 30], x=[0] * 4, y=[5] * 4, p=[1] * 4)
    later = EventBatch.from_columns(t=[40, 50], x=[0] * 2, y=[5] * 2, p=[1] * 2)
    assert words(triggers(5, 20, 25, 45, 60), batch, later) == [
        -5, 10, -20, 20, 20, -25, 30, 40, -45, 50, -60,
    ]  # fmt: skip
    assert words(triggers(8), triggers(9), batch, triggers(7)) == [-8, -9, 10, 20, 20, 30, -7]
    assert words(triggers(9), EventBatch.empty(), later) == [-9, 40, 50]


def test_a_trigger_input_that_the_format_has_not_is_refused() -> None:
    with pytest.raises(EncodeError, match="toy: a trigger of input 4 does not fit: there are 4"):
        encode(ToyEncoder(), [triggers(1, id=4)])


def test_an_event_that_does_not_fit_is_named_after_those_before_it_are_written() -> None:
    batch = EventBatch.from_columns(t=[1, 100], x=[1, 2], y=[3, 4], p=[1, 1])
    pieces = ToyEncoder().feed(batch)
    assert [next(pieces), next(pieces)] == [HEADER + b"\x00", b"\x01\x03"]
    with pytest.raises(EncodeError, match="toy: an event at t=100, x=2, y=4 does not fit: a toy"):
        next(pieces)
