"""SPIF: datagrams and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EncodeError, Event, EventBatch, Frame, Sensor, Span
from aevents._native import kernels
from aevents._native.datagrams import MESSAGE_BYTES
from aevents.codecs.spif import SpifDecoder, SpifEncoder
from aevents.testing import assert_same_events, check_operator, example_events

SENSOR = Sensor(320, 240)
EVENTS = example_events(700, sensor=SENSOR)


def test_the_words_of_the_specification() -> None:
    (batch,) = SpifDecoder().feed(bytes.fromhex("08001980 1b803880"), arrival_us=44)
    assert list(batch) == [Event(44, 25, 8, False), Event(44, 56, 27, True)]
    (batch,) = SpifDecoder().feed(bytes.fromhex("23004300 23000000"))
    assert list(batch) == [Event(35, 67, 35, False)]


@pytest.mark.parametrize("datagram", [8, 256, 512, 1440, 65_504])
@pytest.mark.parametrize("timestamps", [False, True])
def test_what_is_sent_is_what_comes(datagram: int, timestamps: bool) -> None:
    encoder, decoder = SpifEncoder(datagram=datagram, timestamps=timestamps), SpifDecoder(SENSOR)
    sent = [*encoder.feed(EVENTS), *encoder.flush()]
    assert {len(one) for one in sent[:-1]} <= {datagram}
    batches = [
        batch for number, one in enumerate(sent) for batch in decoder.feed(one, arrival_us=number)
    ]
    batches += decoder.flush()
    if not timestamps:
        times = np.repeat(np.arange(len(sent)), datagram // 4)[: len(EVENTS)]
        wanted = EventBatch.from_columns(t=times, x=EVENTS.x, y=EVENTS.y, p=EVENTS.p)
    assert_same_events(batches, [EVENTS if timestamps else wanted])
    assert batches[0].sensor == SENSOR
    assert decoder.counts == {}


def test_times_past_32_bits_are_unwrapped() -> None:
    late = example_events(5_000, sensor=SENSOR, start_us=(1 << 32) - 1_000_000)
    decoder = SpifDecoder()
    read = [one for data in SpifEncoder(timestamps=True).feed(late) for one in decoder.feed(data)]
    assert late.t[-1] > 1 << 32
    assert_same_events(read, [late])


def test_spans_follow_on_from_each_other() -> None:
    decoder = SpifDecoder()
    spans = [
        batch.span
        for data, arrival in ((b"\x00\x00\x00\x80", 10), (b"\x00\x00\x00\x80", 30), (b"", 40))
        for batch in decoder.feed(data, arrival_us=arrival)
    ]
    assert spans == [Span(10, 10), Span(10, 30)]


def test_anomalies_are_counted_by_name() -> None:
    decoder = SpifDecoder(Sensor(40, 30))
    off, torn = bytes.fromhex("00002880"), bytes.fromhex("00000100 05000000 010203")
    absurd = bytes.fromhex("00000100 05000000 00000100 050000f0")
    for data in (off, torn, absurd, absurd):
        list(decoder.feed(data))
    assert decoder.counts == {"off_sensor": 1, "torn_bytes": 3, "absurd_times": 2}


def test_time_going_back_a_little_is_handed_on_and_counted() -> None:
    decoder = SpifDecoder()
    (batch,) = decoder.feed(bytes.fromhex("00000000 09000000 00000000 08000000"))
    assert batch.t.tolist() == [9, 8]
    assert decoder.counts == {"backward_jumps": 1}


def test_many_datagrams_are_decoded_at_a_time() -> None:
    come, decoder = kernels.datagrams(), SpifDecoder()
    for _ in range(5):
        come.put(b"\x01\x00\x02\x80" * (MESSAGE_BYTES // 4))
    assert [len(decoder.decode(come, 9)) for _ in range(3)] == [4 * 16_384, 16_384, 0]


@pytest.mark.parametrize("seed", range(30))
def test_any_bytes_at_all_invent_no_event(seed: int) -> None:
    random = np.random.default_rng(seed)
    decoder = SpifDecoder(SENSOR)
    sizes = [0, 1, 2, 3, 4, 7, 8, 65_507, *random.integers(0, 65_508, 8).tolist()]
    for size in sizes:
        before = dict(decoder.counts)
        events = sum(map(len, decoder.feed(random.bytes(size), arrival_us=size)))
        lost = {name: count - before.get(name, 0) for name, count in decoder.counts.items()}
        left_out = lost.get("off_sensor", 0) + lost.get("absurd_times", 0)
        rest = size - lost.get("torn_bytes", 0) - lost.get("stale_bytes", 0)
        assert 4 * (events + left_out) <= rest <= 8 * (events + left_out)


def test_hundreds_of_thousands_of_words_off_the_sensor_are_all_counted() -> None:
    decoder = SpifDecoder(SENSOR)
    for _ in range(20):
        assert list(decoder.feed(b"\xff" * 65_504)) == []
    assert decoder.counts == {"off_sensor": 20 * 16_376}


@pytest.mark.parametrize(
    ("events", "timestamps"),
    [
        ({"t": [1], "x": [32768], "y": [0], "p": [0]}, False),
        ({"t": [-1], "x": [0], "y": [0], "p": [0]}, True),
        ({"t": [1], "x": [40], "y": [0], "p": [0], "sensor": Sensor(40, 30)}, False),
    ],
    ids=["x", "before zero", "off the sensor"],
)
def test_an_event_that_does_not_fit_is_refused(
    events: dict[str, list[int]], timestamps: bool
) -> None:
    batch = EventBatch.from_columns(**events)  # type: ignore[arg-type]  # one of them is a sensor
    with pytest.raises(EncodeError, match=r"spif: an event at t=-?1, x=\d+, y=0 does not fit"):
        SpifEncoder(timestamps=timestamps).encode(batch)


def test_frames_are_refused() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    with pytest.raises(EncodeError, match="holds events, not Frame"):
        SpifEncoder().encode(frame)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("datagram", "timestamps"), [(0, False), (4, True), (510, False), (65_508, False)]
)
def test_a_size_that_holds_no_whole_events_is_refused(datagram: int, timestamps: bool) -> None:
    with pytest.raises(ValueError, match=f"a datagram holds whole events .*, not {datagram}"):
        SpifEncoder(datagram=datagram, timestamps=timestamps)


def test_the_words_do_not_depend_on_how_events_are_cut() -> None:
    class Words:
        """What goes out, as one item for each word."""

        def feed(self, batch: EventBatch, /) -> list[bytes]:
            words = SpifEncoder(timestamps=True).encode(batch)
            return [words[k : k + 8] for k in range(0, len(words), 8)]

        def flush(self) -> tuple[()]:
            return ()

    assert len(check_operator(Words, batch=EVENTS[:200])) == 200
