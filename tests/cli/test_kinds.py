"""Kinds by name, and how much there is of each."""

from __future__ import annotations

import pytest
from cyclopts import Token

from aevents.cli.kinds import Census, name_of, names_of, number_in, read_kinds
from aevents.types import EventBatch, Frame, ImuBatch, TriggerBatch
from tests.cli.items import events, frame, imu, triggers


class Odour:
    """A plug-in's own kind of item."""


def test_kinds_have_names() -> None:
    assert name_of(ImuBatch) == "imu"
    assert name_of(Odour) == "Odour"
    assert names_of([EventBatch]) == "events"
    assert names_of([EventBatch, TriggerBatch, Frame], "or") == "events, triggers or frames"


def test_kinds_are_read_from_names() -> None:
    tokens = [Token(value="events,imu"), Token(value="triggers")]
    assert read_kinds(object, tokens) == (EventBatch, ImuBatch, TriggerBatch)
    with pytest.raises(ValueError, match="'smells' is none of events, triggers, imu, frames, "):
        read_kinds(object, [Token(value="smells")])


def test_a_frame_is_one_and_a_batch_is_many() -> None:
    assert number_in(frame(1)) == 1
    assert number_in(events(1, 2, 3)) == 3


def test_a_census_hands_on_what_it_counts_and_names_what_there_is() -> None:
    census = Census()
    assert (list(census.named()), census.kinds, census[EventBatch]) == ([], (), 0)
    odour, some = Odour(), imu(3, 4)
    for item in (odour, frame(0), events(), some, triggers(1), some):
        assert census.feed(item) == (item,)
    assert census.flush() == ()
    assert census.kinds == (TriggerBatch, ImuBatch, Frame, Odour)
    assert list(census.named()) == [("triggers", 1), ("imu", 4), ("frames", 1), ("Odour", 1)]
