"""Slots keep the newest, and count what they let go."""

from __future__ import annotations

import json

import anyio
import pytest

from aevents.types import Sensor, Span
from aevents.viewer.messages import Problem, Status
from aevents.viewer.packing import Packer, Piece
from aevents.viewer.slots import MOST_CREDITS, MOST_NOTICES, Outbox, Slot
from tests.viewer.pages import some_events, unpacked


def pieces(count: int, jump: int | None = None) -> list[Piece]:
    packer = Packer(0)
    made = [
        packer.events([some_events(10)], Span(0, 10_000), jump=number == jump, arrived=number)
        for number in range(count)
    ]
    assert [piece.seq for piece in made] == [*range(count)]
    return made


def test_nothing_is_sent_unasked_and_then_the_newest() -> None:
    slot = Slot()
    for piece in pieces(5):
        slot.offer(piece)
    assert slot.take() is None
    slot.credit(0, 1, now=0.0)
    taken = slot.take()
    assert taken is not None
    assert taken.seq == 4
    assert (slot.skipped, slot.skipped_events) == (4, 40)
    assert slot.take() is None


def test_a_jump_is_not_lost_with_its_piece() -> None:
    slot = Slot()
    for piece in pieces(3, jump=1):
        slot.offer(piece)
    slot.credit(0, 1, now=0.0)
    taken = slot.take()
    assert taken is not None
    assert (taken.seq, taken.jump, unpacked(taken.data).flags) == (2, True, 1)


def test_credits_do_not_pile_up() -> None:
    slot = Slot()
    slot.credit(0, 1_000_000, now=0.0)
    slot.credit(0, -5, now=0.0)
    assert slot.credits == MOST_CREDITS


def test_the_age_is_from_arrival_to_the_credit_of_that_piece() -> None:
    slot = Slot()
    slot.credit(0, 4, now=0.0)
    for piece in pieces(3):
        slot.offer(piece)
        slot.take()
    assert [slot.age] == [None]
    slot.credit(1, 1, now=1.5)
    assert slot.age == 0.5
    slot.credit(99, 1, now=9.0)  # never sent
    assert [slot.age] == [0.5]


def test_events_and_pictures_do_not_push_each_other_out() -> None:
    import numpy as np

    from aevents.types import Frame

    packer, slot = Packer(0), Slot()
    frame = Frame(np.zeros((3, 4), np.uint8), Span(0, 1), Sensor(4, 3), "intensity")
    picture, events = packer.picture(frame), packer.events([], Span(0, 1))
    slot.offer(picture)
    slot.offer(events)
    slot.credit(0, 2, now=0.0)
    assert [slot.take(), slot.take()] == [picture, events]
    assert slot.skipped == 0


async def test_text_goes_before_pieces_and_replaces_its_like() -> None:
    page = Outbox()
    page.slots[0] = Slot()
    page.slots[0].credit(0, 1, now=0.0)
    page.slots[0].offer(pieces(1)[0])
    for time in range(3):
        page.tell(Status(0, "playing", time, 1.0, None, None), ("state", 0))
    page.tell(Problem(None, "one"))
    page.tell(Problem(None, "two"))
    got = [await page.next() for _ in range(4)]
    assert [json.loads(one).get("time_us", json.loads(one).get("text")) for one in got[:3]] == [
        2, "one", "two",
    ]  # fmt: skip
    assert isinstance(got[3], bytes)
    with pytest.raises(TimeoutError), anyio.fail_after(0.01):
        await page.next()


async def test_what_a_page_does_not_take_does_not_grow() -> None:
    page = Outbox()
    for number in range(1_000):
        page.tell(Problem(None, str(number)))
    got = [json.loads(await page.next())["text"] for _ in range(MOST_NOTICES)]
    assert got == [str(number) for number in range(1_000 - MOST_NOTICES, 1_000)]


async def test_shows_take_turns() -> None:
    page = Outbox()
    for show in range(2):
        page.slots[show] = Slot()
        page.slots[show].credits = 4
    seen = []
    for _ in range(4):
        for show in range(2):
            page.slots[show].offer(Packer(show).events([], Span(0, 1)))
        data = await page.next()
        assert isinstance(data, bytes)
        seen.append(data[1])
    assert seen == [0, 1, 0, 1]
