"""Messages of a Speck and what they say."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import EncodeError, Event, EventBatch, Frame, Sensor, Span, SpikeBatch
from aevents.codecs.speck import (
    HEADER,
    MOST_EVENTS,
    SENSOR,
    SpeckDecoder,
    SpeckEncoder,
    SpikeDecoder,
)
from aevents.testing import assert_same_events, example_events
from tests.conftest import RECORDINGS

CAPTURE = RECORDINGS.parent / "cameras" / "speck_capture.bin"
EVENTS = example_events(10_000, sensor=SENSOR)


def times(*clock: int) -> bytes:
    return b"".join(b"\1\2\3\0" + t.to_bytes(4, "little") for t in clock)


def test_the_bytes_of_the_specification() -> None:
    batch = EventBatch.from_columns(t=[100], x=[9], y=[5], p=[1])
    message = (b"V", bytes.fromhex("01 05 09 00 64 00 00 00"))
    assert list(SpeckEncoder().feed(batch)) == [message]
    (read,) = SpeckDecoder().feed(message)
    assert list(read) == [Event(100, 9, 5, True)]
    assert (read.sensor.width, read.sensor.height) == (128, 128)


def test_what_is_sent_is_what_comes_however_many_messages_are_decoded_at_once() -> None:
    encoder, decoder = SpeckEncoder(), SpeckDecoder()
    messages = [*encoder.feed(EVENTS), *encoder.flush()]
    assert [len(body) // 8 for _, body in messages] == [MOST_EVENTS, MOST_EVENTS, 10_000 % 4_096]
    one_by_one = [batch for one in messages for batch in decoder.feed(one)] + [*decoder.flush()]
    together = SpeckDecoder().decode(messages)
    assert_same_events(one_by_one, [EVENTS])
    assert_same_events([together], [EVENTS])
    assert decoder.counts == {}
    assert one_by_one[1].span.start == one_by_one[0].span.stop


def test_times_past_32_bits_are_unwrapped() -> None:
    late = example_events(10_000, sensor=SENSOR, start_us=(1 << 32) - 1_000_000)
    assert late.t[-1] > 1 << 32
    assert_same_events([SpeckDecoder().decode(SpeckEncoder().feed(late))], [late])


def test_an_event_from_before_the_clock_went_round_stays_there() -> None:
    top = 1 << 32
    (batch,) = SpeckDecoder().feed((HEADER, times(top - 5, 3, top - 2, 9)))
    assert batch.t.tolist() == [top - 5, top + 3, top - 2, top + 9]


def test_times_go_on_in_the_next_round() -> None:
    decoder = SpeckDecoder()
    sent = [(HEADER, times(2**32 - 5, 3)), (HEADER, times(7, 9))]
    batches = [batch for one in sent for batch in decoder.feed(one)]
    assert batches[1].t.tolist() == [2**32 + 7, 2**32 + 9]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=30), st.data())
def test_no_times_are_below_0_and_cuts_make_no_difference(
    clock: list[int], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(clock)))
    messages = (HEADER, times(*clock[:cut])), (HEADER, times(*clock[cut:]))
    together, one_by_one = SpeckDecoder(), SpeckDecoder()
    batch = together.decode(messages)
    assert_same_events([batch], [one for m in messages for one in one_by_one.feed(m)])
    assert together.counts == one_by_one.counts
    assert (batch.t >= 0).all()
    assert (batch.t % 2**32).tolist() == clock


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        ([], {"bad_messages": 1}),
        ([b"V"], {"bad_messages": 1}),
        ([b"W", times(1)], {"bad_messages": 1}),
        ([b"", times(1)], {"bad_messages": 1}),
        ([b"V", times(1), b""], {"bad_messages": 1}),
        ([b"V", b""], {}),
        ([b"V", b"\1" * 7], {"torn_bytes": 7}),
        ([b"V", b"\2\0\0\0" + bytes(4)], {"invalid_events": 1}),
        ([b"V", b"\1\x80\0\0" + bytes(4)], {"off_sensor": 1}),
        ([b"V", b"\1\0\x80\0" + bytes(4)], {"off_sensor": 1}),
        ([b"V", b"\xff" * 8], {"invalid_events": 1}),
    ],
)
def test_what_is_no_event_is_left_out_and_counted(
    message: list[bytes], counts: dict[str, int]
) -> None:
    decoder = SpeckDecoder()
    assert list(decoder.feed(message)) == []
    assert decoder.counts == counts
    (batch,) = decoder.feed((HEADER, b"".join([times(7), b"\3" * 8, times(9), b"torn"])))
    assert batch.t.tolist() == [7, 9]


def test_another_size_may_be_given_and_none() -> None:
    far = (HEADER, b"\0\xff\xff\0" + bytes(4))
    assert [len(batch) for batch in SpeckDecoder(Sensor(256, 256)).feed(far)] == [1]
    assert [len(batch) for batch in SpeckDecoder(Sensor()).feed(far)] == [1]


def test_random_bytes_are_no_crash() -> None:
    random = np.random.default_rng(1)
    decoder = SpeckDecoder()
    for size in (0, 1, 8, 1 << 20, *random.integers(0, 9_000, 200).tolist()):
        for batch in decoder.feed((HEADER, random.bytes(size))):
            assert (batch.x < 128).all()
            assert (batch.y < 128).all()
    assert set(decoder.counts) == {"torn_bytes", "invalid_events", "off_sensor", "backward_jumps"}


@pytest.mark.parametrize(("t", "x", "y"), [(-1, 0, 0), (0, 128, 0), (0, 0, 128)])
def test_what_does_not_fit_is_refused_before_anything_is_sent(t: int, x: int, y: int) -> None:
    batch = EventBatch.concat([EVENTS, EventBatch.from_columns(t=[t], x=[x], y=[y], p=[0])])
    with pytest.raises(EncodeError, match=f"an event at t={t}, x={x}, y={y} does not fit 128x128"):
        next(SpeckEncoder().feed(batch))


def test_what_are_no_events_is_refused() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    with pytest.raises(EncodeError, match="holds events, not Frame"):
        next(SpeckEncoder().feed(frame))  # type: ignore[arg-type]  # the point of the test


def test_a_batch_without_events_is_no_message() -> None:
    assert list(SpeckEncoder().feed(EventBatch.empty())) == []


SPIKE = bytes.fromhex("03 00 07 01 05 09 00 00 64 00 00 00")
VIZ = struct.pack("<4Q2I", 2, 5, 9, 1, 100, 0)


def columns(batch: SpikeBatch) -> list[tuple[int, ...]]:
    """Return time, layer, feature, column and row of each spike."""
    each = (batch.t, batch.layer, batch.feature, batch.x, batch.y)
    return [tuple(map(int, row)) for row in zip(*each, strict=True)]


@pytest.mark.parametrize("header", [b"V", bytes(8)])
@pytest.mark.parametrize(
    ("record", "body", "said"),
    [("spikes", SPIKE, (100, 3, 263, 9, 5)), ("viz", VIZ, (100, 2, 1, 9, 5))],
)
def test_spikes_say_their_layer(
    header: bytes, record: str, body: bytes, said: tuple[int, ...]
) -> None:
    decoder = SpikeDecoder(record)
    (batch,) = [*decoder.feed((header, body * 2)), *decoder.feed((header, b"")), *decoder.flush()]
    assert columns(batch) == [said, said]
    assert (batch.span, batch.sensor) == (Span(100, 101), Sensor(0, 0, "Speck"))
    assert not any(column.flags.writeable for column in (batch.t, batch.layer, batch.x))
    assert decoder.counts == {}


@pytest.mark.parametrize(
    "message", [[], [b"V"], [b"VV", SPIKE], [b"V", SPIKE[:-1]], [b"V", SPIKE, SPIKE]]
)
def test_what_is_no_message_of_spikes_is_counted(message: list[bytes]) -> None:
    decoder = SpikeDecoder("spikes", Sensor(8, 8))
    assert list(decoder.feed(message)) == []
    (batch,) = decoder.feed((b"V", SPIKE))
    assert (len(batch), batch.sensor) == (1, Sensor(8, 8))
    assert decoder.counts == {"bad_messages": 1}


def test_times_of_spikes_are_unwrapped_too() -> None:
    sent = [(b"V", SPIKE[:8] + t.to_bytes(4, "little")) for t in (2**32 - 5, 3)]
    assert SpikeDecoder("spikes").decode(sent).t.tolist() == [2**32 - 5, 2**32 + 3]


@pytest.mark.skipif(not CAPTURE.is_file(), reason="no capture: set AEVENTS_RECORDINGS")
def test_what_samna_sent_is_read() -> None:
    """Bytes of Samna 0.7.1, which was given bytes that count up as its events."""
    data, parts = CAPTURE.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "little")
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    messages = list(zip(parts[::2], parts[1::2], strict=True))
    decoder = SpikeDecoder("viz")
    batches = [batch for message in messages for batch in decoder.feed(message)]
    assert [len(batch) for batch in batches] == [1, 5, 3, 100]
    assert decoder.counts == {}
    for first, batch in zip((0x00, 0x10, 0x20, 0x30), batches, strict=True):
        sent = [
            struct.unpack("<4QI", bytes((first + index + place) % 256 for place in range(36)))
            for index in range(len(batch))
        ]
        said = [(t, layer, feature, x, y) for layer, y, x, feature, t in sent]
        assert [(t % 2**32, *rest) for t, *rest in columns(batch)] == said
    refused = SpeckDecoder()  # they are no events of the camera
    assert [batch for message in messages for batch in refused.feed(message)] == []
    assert refused.counts == {"bad_messages": 4}
