"""A show tells pages how it stands, and refuses what it cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from aevents.types import Sensor, Span
from aevents.viewer.messages import Status
from aevents.viewer.shows import RefusedError, Show
from aevents.viewer.slots import Outbox
from tests.viewer.pages import some_events


async def test_whoever_comes_gets_the_newest_piece() -> None:
    show = Show(4, "a", "b")
    changes: list[bool] = []
    show.changed = lambda: changes.append(True)
    for number in range(3):
        show.publish(show.packer.events([some_events(number)], Span(0, number)))
    page = Outbox()
    show.attach(page)
    page.slots[4].credits = 1
    piece = page.slots[4].take()
    assert piece is not None
    assert (piece.seq, piece.data[1]) == (2, 4)
    assert changes == [True]  # the size became known
    assert (show.sensor, show.time_us, show.figures.taken()[0]) == (Sensor(64, 48), 2, 3)
    show.detach(page)
    assert not page.slots
    assert not show.watched


def test_how_it_stands_is_told() -> None:
    show, told = Show(0, "a", "b"), []
    show.told = lambda message, _key: told.append(message)
    show.stand("failed", "gone")
    assert told == [Status(0, "failed", 0, 1.0, "gone", None)]
    about = show.about()
    assert (about.live, about.seekable, about.record, about.models) == (True, False, False, ())


@pytest.mark.parametrize(
    "ask",
    [
        lambda show: show.play(),
        lambda show: show.pause(),
        lambda show: show.step(1, 0),
        lambda show: show.seek(1, 0),
        lambda show: show.set_speed(1.0),
        lambda show: show.record(on=True),
        lambda show: show.set_bias("on", 1),
        lambda show: show.set_roi((0, 0, 1, 1)),
        lambda show: show.ask("net", 0, on=True),
    ],
)
async def test_what_a_show_cannot_it_refuses(
    ask: Callable[[Show], Awaitable[None] | None],
) -> None:
    with pytest.raises(RefusedError, match=r"a |no model"):
        answer = ask(Show(0, "a", "b"))
        if answer is not None:
            await answer
