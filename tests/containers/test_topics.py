"""Topics: which are read, of what they say."""

from __future__ import annotations

import struct

import pytest

from aevents import DecodeError, EventBatch, Frame, ImuBatch, Sensor, TriggerBatch
from aevents._native.room import Room
from aevents.codecs.compression import zstd_packer
from aevents.containers.topics import MOST_TOPICS, Topics
from aevents.testing import assert_same_events, example_events
from tests.containers.bags import Message, array_message, mono, packet_message, serialised

BATCH = example_events(500)
TIMED = struct.pack("<5H", 0x8001, 0x6005, 0x0003, 0x2804, 0xA201)  # EVT3: an event, a trigger


def made(*, sensor: Sensor | None = None, strict: bool = False, topic: str | None = None) -> Topics:
    return Topics("bag", sensor=sensor, strict=strict, topic=topic)


def said(topics: Topics, *messages: Message) -> list[object]:
    """Return what topics make of these messages, numbered by topic, and of the end."""
    numbers: dict[str, int] = {}
    items: list[object] = []
    for one in messages:
        number = numbers.setdefault(one.topic, len(numbers))
        topics.add(number, one.topic, one.type, cdr=True)
        if topics.wanted(number):
            items += topics.read(number, memoryview(serialised(one, cdr=True)), 7)
    return items + list(topics.flush())


def test_batches_carry_the_sensor_of_the_message_and_the_name_of_the_topic() -> None:
    (batch,) = said(made(), array_message(BATCH))
    assert isinstance(batch, EventBatch)
    assert batch.sensor == Sensor(320, 240, "/dvs/events")
    assert_same_events([batch], [BATCH])


def test_another_sensor_may_be_given() -> None:
    topics = made(sensor=Sensor(10, 10))
    (batch,) = said(topics, array_message(BATCH))
    assert isinstance(batch, EventBatch)
    assert batch.sensor == Sensor(10, 10)
    assert topics.counts["off_sensor"] > 0


def test_spans_follow_on_from_each_other() -> None:
    one, two = said(made(), array_message(BATCH[:200]), array_message(BATCH[200:]))
    assert isinstance(one, EventBatch)
    assert isinstance(two, EventBatch)
    assert one.span.stop == two.span.start


def test_two_cameras_are_not_one_stream() -> None:
    left, right = (array_message(BATCH, topic=name) for name in ("/left", "/right"))
    with pytest.raises(DecodeError, match="/left and /right both hold EventBatch: choose one"):
        said(made(), left, right)
    (batch,) = said(made(topic="/right"), left, right)
    assert isinstance(batch, EventBatch)
    assert batch.sensor.name == "/right"


def test_two_cameras_do_not_matter_to_who_wants_something_else() -> None:
    topics = made()
    topics.kinds = (ImuBatch,)
    assert said(topics, array_message(BATCH, topic="/left"), array_message(BATCH, topic="/r")) != []
    assert not topics.counts


def test_a_topic_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(DecodeError, match=r"there is no topic '/a'; the file has /dvs/events"):
        said(made(topic="/a"), array_message(BATCH))
    with pytest.raises(DecodeError, match="the file has none that is read here"):
        said(made(topic="/a"))


def test_only_what_is_wanted_is_read() -> None:
    topics = made()
    topics.kinds = (Frame,)
    topics.add(1, "/e", "dvs_msgs/msg/EventArray", cdr=True)
    topics.add(2, "/i", "sensor_msgs/msg/Image", cdr=True)
    topics.add(3, "/t", "tf2_msgs/msg/TFMessage", cdr=True)
    assert [topics.wanted(number) for number in (1, 2, 3, 4)] == [False, True, False, False]
    assert topics.numbers() == [2]


def test_evt3_goes_on_from_message_to_message() -> None:
    parts = [packet_message(TIMED[at : at + 2], "evt3") for at in range(0, len(TIMED), 2)]
    batch, triggers, *rest = said(made(), *parts)
    assert isinstance(batch, EventBatch)
    assert list(batch) == [(4101, 4, 3, True)]
    assert batch.sensor == Sensor(320, 240, "/camera/events")
    assert isinstance(triggers, TriggerBatch)
    assert (triggers.t.tolist(), triggers.id.tolist()) == ([4101], [2])
    assert rest == []


def test_what_the_decoder_of_a_stream_counts_is_counted() -> None:
    topics = made()
    said(topics, packet_message(struct.pack("<2H", 0x2804, 0x1000) + TIMED, "evt3"))
    assert dict(topics.counts)["untimed"] == 1


def test_a_message_may_be_packed() -> None:
    topics = made()
    topics.add(1, "/e", "dvs_msgs/msg/EventArray", cdr=True)
    data = zstd_packer()(serialised(array_message(BATCH), cdr=True))
    assert_same_events(topics.read(1, memoryview(data), 0), [BATCH])


def test_messages_that_cannot_be_read_are_counted() -> None:
    topics = made()
    bad = packet_message(b"seven b", "mono")
    items = said(topics, bad, packet_message(mono(BATCH[:9]), "mono"), packet_message(b"", "evt3"))
    assert_same_events(items, [BATCH[:9]])
    assert dict(topics.counts) == {"bad_messages": 2}
    assert [(one.what, one.offset) for one in topics.watch.damage] == [("bad_messages", 7)] * 2
    with pytest.raises(DecodeError, match="its 7 bytes are no words of 8 at byte 7"):
        said(made(strict=True), bad)


def test_words_of_reserved_types_are_counted() -> None:
    topics = made()
    said(topics, packet_message(struct.pack("<2H", 0x6000, 0xF000), "libcaer_cmp"))
    assert dict(topics.counts) == {"unknown_words": 2}


def test_an_encoding_that_is_not_known_ends_it() -> None:
    with pytest.raises(DecodeError, match="events in the encoding 'evt9' are not known"):
        said(made(), packet_message(b"", "evt9"))


def test_too_many_topics_end_it() -> None:
    topics = made()
    for number in range(MOST_TOPICS):
        topics.add(number, f"/{number}", "sensor_msgs/Imu", cdr=False)
    topics.add(5, "/5", "sensor_msgs/Imu", cdr=False)
    with pytest.raises(DecodeError, match="more than 4096 topics"):
        topics.add(5, "/more", "sensor_msgs/Imu", cdr=False)
    with pytest.raises(DecodeError, match="more than 4096 topics"):
        topics.add(MOST_TOPICS, "/more", "sensor_msgs/Imu", cdr=False)


def test_without_events_there_is_an_empty_batch() -> None:
    (batch,) = said(made(sensor=Sensor(3, 4)))
    assert isinstance(batch, EventBatch)
    assert (len(batch), batch.sensor) == (0, Sensor(3, 4))


@pytest.mark.parametrize("encoding", ["mono", "evt3"])
def test_events_may_be_decoded_where_they_stay(encoding: str) -> None:
    topics, room = made(), Room()
    topics.keep_in(room)
    data = mono(BATCH[:9]) if encoding == "mono" else TIMED
    items = said(topics, packet_message(data, encoding))
    assert room.length == sum(len(item) for item in items if isinstance(item, EventBatch)) > 0


def test_topics_begin_anew_with_the_same_names() -> None:
    topics = made(topic="/dvs/events")
    said(topics, array_message(BATCH))
    topics.shift = 5
    fresh = topics.fresh()
    assert (fresh.numbers(), fresh.shift, fresh.clock) == ([0], 5, 0)
    topics.renumber()
    assert topics.numbers() == []
