"""From batches to one batch, and to single events."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from aevents._native.room import FIRST, Room
from aevents.codecs.base import Codec
from aevents.codecs.sniff import Recognise
from aevents.operators.base import Chain
from aevents.operators.gather import Each, Gather
from aevents.registry import codecs
from aevents.testing import check_operator, cut_events, encode, example_events
from aevents.types import Event, EventBatch, Frame, Sensor, Span


def gathered(*batches: EventBatch) -> EventBatch:
    gather = Gather()
    for batch in batches:
        assert gather.feed(batch) == ()
    (whole,) = gather.flush()
    return whole


def test_all_events_come_in_one_batch_under_one_span() -> None:
    events = example_events(500)
    whole = gathered(*cut_events(events, [100, 0, 250]))
    assert list(whole) == list(events)
    assert (whole.span, whole.sensor) == (events.span, events.sensor)


def test_columns_grow_past_the_first_room() -> None:
    n = 3 * FIRST + 5
    t = np.arange(n)
    zeros = np.zeros(n, np.uint16)
    many = EventBatch.from_columns(t=t, x=zeros, y=zeros, p=zeros)
    whole = gathered(*cut_events(many, [FIRST - 1, 2, FIRST]))
    np.testing.assert_array_equal(whole.t, t)
    assert not whole.t.flags.writeable


def test_room_for_a_source_of_known_size_is_taken_beforehand() -> None:
    asked = []

    def size() -> int:
        asked.append(1)
        return 16 * FIRST

    gather, events = Gather(size), example_events(500)
    for batch in cut_events(events, [100]):
        assert gather.feed(batch) == ()
    (whole,) = gather.flush()
    assert list(whole) == list(events)
    assert asked == [1]


IN_PLACE = [one for one in codecs() if one.encoder and hasattr(one.decoder, "keep_in")]


@pytest.mark.parametrize("codec", IN_PLACE, ids=lambda codec: codec.name)
def test_a_decoder_right_before_it_writes_in_place(
    codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codec.encoder is not None
    events, copied = example_events(5_000), []
    data = encode(codec.encoder(), [events])
    monkeypatch.setattr(Room, "add", lambda _room, more: copied.append(len(more[0])))
    options: dict[str, object] = {"sensor": None, "strict": False}
    decoder = Recognise(codecs, name="", kind=EventBatch, format=codec.name, options=options)
    chain: Chain[bytes, EventBatch] = Chain([decoder, Gather()])
    assert [*chain.feed(data[:3_000]), *chain.feed(data[3_000:])] == []
    (whole,) = chain.flush()
    assert list(whole) == list(events)
    assert copied == []


def test_times_that_go_back_are_within_the_span() -> None:
    first = EventBatch.from_columns(t=[50, 60], x=[1, 2], y=[0, 0], p=[1, 1])
    late = first.cut(0, 1, Span(61, 61))
    assert gathered(first[1:], late).span == (50, 61)


def test_no_batches_give_nothing_and_empty_ones_an_empty_one() -> None:
    assert Gather().flush() == ()
    empty = gathered(EventBatch.empty(Sensor(3, 4), Span(5, 9)))
    assert (len(empty), empty.span, empty.sensor) == (0, (5, 9), Sensor(3, 4))


def test_what_is_no_batch_of_events_is_refused() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    with pytest.raises(ValueError, match="only events can be put together, not a Frame"):
        Gather().feed(cast("EventBatch", frame))


def test_each_gives_single_events() -> None:
    batch = EventBatch.from_columns(t=[4, 5], x=[1, 2], y=[3, 4], p=[0, 1])
    assert list(Each().feed(batch)) == [Event(4, 1, 3, False), Event(5, 2, 4, True)]


def test_the_chunking_law() -> None:
    assert len(check_operator(Gather)) == 1
    assert len(check_operator(Each)) == 600
