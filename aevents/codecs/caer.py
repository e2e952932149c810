"""Packets of libcaer, as cameras give them: laid out as in AEDAT 3.1, and whole.

The time in µs is `overflow << 31` and the event's 31 bits; see `aedat3.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aevents._native import kernels
from aevents.codecs.aedat3_kinds import HEAD, POLARITY, SPECIAL, edges, others
from aevents.codecs.base import Watch
from aevents.types import EventBatch, Frame, ImuBatch, Sensor, TriggerBatch

if TYPE_CHECKING:
    from aevents._native.twins import AedatState  # not loaded where there is C

KINDS = (TriggerBatch, EventBatch, Frame, ImuBatch, ImuBatch)
"""What packets hold, by their type."""
Item = EventBatch | TriggerBatch | ImuBatch | Frame


class CaerDecoder:
    """Packets of libcaer to events, triggers, inertial measurements and frames, of which only those
    of `kind` are given.
    """

    def __init__(self, sensor: Sensor, *, kind: type = object) -> None:
        self._kind = kind
        self._watch = Watch("libcaer", strict=False)
        self._watch.use(sensor)
        self._clock: AedatState = kernels.aedat_state(wary=0)
        self._out = kernels.columns()

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def feed(self, packet: memoryview, /) -> Iterator[Item]:
        """Give what a packet holds. Nothing that is given views its memory."""
        type, _, size, _, overflow, _, number, _ = HEAD.unpack_from(packet)
        if not number or type >= len(KINDS) or not issubclass(KINDS[type], self._kind):
            return
        body = packet[HEAD.size :]
        if type == POLARITY:
            yield from self._events(body, overflow << 31)
        elif type == SPECIAL:
            yield from self._edges(body, overflow << 31)
        else:
            yield from self._others(type, body, size, overflow << 31)

    def _events(self, body: memoryview, base: int) -> Iterator[EventBatch]:
        self._clock.base, before, at = base, self._clock.invalid, 0
        while at < len(body):
            at = kernels.aedat3_decode(body, at, self._clock, self._out)
            if self._out.n:
                yield self._watch.batch(*self._out.take())
                self._out.begin()
        self._invalid(self._clock.invalid - before)

    def _edges(self, body: memoryview, base: int) -> Iterator[TriggerBatch]:
        t, id, value, invalid = edges(body, base)
        self._invalid(invalid)
        if len(t):
            yield self._watch.triggers(t, id, value)

    def _others(
        self, type: int, body: memoryview, size: int, base: int
    ) -> Iterator[ImuBatch | Frame]:
        try:
            items, invalid = others(type, body, size, base, self._watch.sensor)
        except ValueError as error:
            self._watch.note("bad_packets", 1, str(error))
        else:
            self._invalid(invalid)
            yield from items

    def _invalid(self, count: int) -> None:
        self._watch.note("invalid_events", count, "an event is marked invalid")
