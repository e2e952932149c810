"""What the driver asks of sources and sinks, and the report of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from aevents._shown import Shown
from aevents.types import Damage

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class BlockingSource(Protocol[T_co]):
    """An iterator that may block, with `close()`; in practice a generator. It is pulled in a worker
    thread.
    """

    def __next__(self) -> T_co:
        """Return the next item, or raise `StopIteration`."""

    def close(self) -> None:
        """Release everything at once. May be called twice."""


class WaitingSource(Protocol[T_co]):
    """An async iterator with `close()`: it awaits, then hands over. No item is ever held across an
    await.
    """

    async def __anext__(self) -> T_co:
        """Return the next item, or raise `StopAsyncIteration`. A cancelled call loses no item."""

    def close(self) -> None:
        """Release everything at once, on the event loop. May be called twice."""

    async def aclose(self) -> None:
        """Release everything, and wait until it is."""


class Origin(msgspec.Struct, Generic[T_co], frozen=True):
    """How to open a source afresh: as a waiting source, a blocking one, or either.

    `live` says that it can be neither slowed nor rewound. `name` is for messages. `size` tells how
    many bytes it holds, where that is known; it may block. `within` returns the same source for
    somebody who wants nothing of before `start` µs: that may be left out. `operators` of a stream,
    the first, belong to its source: they decode what it gives. `queued` tells how many
    items wait to be read, where there is a queue. `gathered` returns the same source with at least
    so many units, of what chunks are made of, in an item.
    """

    name: str
    waiting: Callable[[], WaitingSource[T_co]] | None = None
    blocking: Callable[[], BlockingSource[T_co]] | None = None
    live: bool = False
    size: Callable[[], int] | None = None
    within: Callable[[int], Origin[T_co]] | None = None
    operators: int = 0
    queued: Callable[[], int] | None = None
    gathered: Callable[[int], Origin[T_co]] | None = None


class Sink(Protocol[T_contra]):
    """Takes items; the only way out. After `aclose` what was written is whole."""

    async def write(self, item: T_contra, /) -> None:
        """Take one item; returns when there is room for the next."""

    async def aclose(self) -> None:
        """Finish what was written and release everything. May be called twice."""


class Report(Shown, Mapping[str, int]):
    """What happened in one run: a mapping of names to counts.

    `delivered` items, with `events` events in them, came out of the run. Everything else is an
    anomaly, present only where it occurred: bytes that were torn, events off the sensor, time going
    back, and so on. `damage` says where the input is damaged: the first thousand places.
    """

    LOSSES = frozenset(
        {
            "outside_frame",
            "outside_sensor",
            "torn_bytes",
            "skipped_bytes",
            "untimed",
            "bad_lines",
            "bad_rows",
            "bad_packets",
            "queue_dropped_oldest",
            "queue_dropped_newest",
            "queue_overruns",
            "bad_chunks",
            "bad_messages",
            "lost_bytes",
            "stray_events",
            "kernel_drops",
            "absurd_times",
            "stale_bytes",
            "lost_events",
            "missing_frames",
            "tail_units",
            "failed_items",
            "skipped_slots",
        }
    )
    __slots__ = ("_anomalies", "damage", "delivered", "events")

    def __init__(
        self,
        delivered: int,
        events: int,
        anomalies: Mapping[str, int],
        damage: Sequence[Damage] = (),
    ) -> None:
        self.delivered: int = delivered
        self.events: int = events
        self.damage: Sequence[Damage] = tuple(damage)
        self._anomalies = dict(anomalies)

    @property
    def anomalies(self) -> Mapping[str, int]:
        """The counts of what a healthy run would not show, by name; empty when all was well."""
        return self._anomalies

    @property
    def dropped(self) -> int:
        """How many events, records or bytes were lost, whatever the cause."""
        return sum(count for name, count in self._anomalies.items() if name in self.LOSSES)

    def __getitem__(self, name: str) -> int:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Report({', '.join(f'{name}={count}' for name, count in self._all().items())})"

    def _all(self) -> dict[str, int]:
        return {"delivered": self.delivered, "events": self.events, **self._anomalies}
