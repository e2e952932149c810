"""What waits to be sent to one page: the newest, and nothing that grows."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import anyio

from aevents.viewer.messages import ToPage, written
from aevents.viewer.packing import Piece

MOST_CREDITS = 4
"""So many pieces are on their way to a page at most, however many it asks for."""
MOST_NOTICES = 64
"""... and so many messages of which each counts; older ones are let go."""


class Slot:
    """The newest piece of one show for one page, and the newest picture, until it asks for them.

    What it has not asked for in time is counted: as `skipped` pieces and `skipped_events`.
    """

    def __init__(self) -> None:
        self.skipped: int = 0
        self.skipped_events: int = 0
        self.age: float | None = None
        self.credits: int = 0
        self._waiting: dict[bool, Piece] = {}
        self._sent: deque[Piece] = deque(maxlen=MOST_CREDITS)

    def offer(self, piece: Piece) -> None:
        """Keep this piece, and let go the one that still waits. A jump is not lost with it."""
        old = self._waiting.pop(piece.is_picture, None)
        if old is not None:
            self.skipped += 1
            self.skipped_events += old.events
            piece = piece.jumped() if old.jump and not piece.jump else piece
        self._waiting[piece.is_picture] = piece

    def credit(self, seq: int, count: int, now: float) -> None:
        """The page has drawn piece `seq` at `now`, and takes `count` more."""
        self.credits = min(self.credits + max(0, count), MOST_CREDITS)
        while self._sent and self._sent[0].seq <= seq:
            drawn = self._sent.popleft()
            self.age = now - drawn.arrived if drawn.seq == seq else self.age

    def take(self) -> Piece | None:
        """Return the piece to send now, the older kind first; None if there is none, or the page
        has asked for none.
        """
        if not self._waiting or not self.credits:
            return None
        piece = min(self._waiting.values(), key=lambda one: one.seq)
        del self._waiting[piece.is_picture]
        self.credits -= 1
        self._sent.append(piece)
        return piece


class Outbox:
    """All that waits for one page: a slot a show, the newest message of each kind, and a few that
    each count.
    """

    def __init__(self) -> None:
        self.slots: dict[int, Slot] = {}
        self._newest: dict[Hashable, ToPage] = {}
        self._notices: deque[ToPage] = deque(maxlen=MOST_NOTICES)
        self._wake = anyio.Event()

    def tell(self, message: ToPage, key: Hashable = None) -> None:
        """Send a message; in the place of one of the same `key` that still waits, if one is
        given.
        """
        if key is None:
            self._notices.append(message)
        else:
            self._newest[key] = message
        self.wake()

    def wake(self) -> None:
        """Look again if there is something to send."""
        self._wake.set()

    async def next(self) -> str | bytes:
        """Return what is to be sent next: text before pieces."""
        while True:
            if self._newest:
                return written(self._newest.pop(next(iter(self._newest))))
            if self._notices:
                return written(self._notices.popleft())
            for slot in self._in_turn():
                if piece := slot.take():
                    return piece.data
            self._wake = anyio.Event()
            await self._wake.wait()

    def _in_turn(self) -> list[Slot]:
        """Return the slots, and have the first be the last next time: no show starves another."""
        slots = [*self.slots.items()]
        if len(slots) > 1:
            self.slots = dict([*slots[1:], slots[0]])
        return [slot for _, slot in slots]
