"""The reading end of a junction: a channel as the source of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import anyio

from aevents._contracts import Origin
from aevents.junctions.channel import Channel
from aevents.junctions.pump import Pumps
from aevents.operators.base import add_counts
from aevents.stream import Stream, stream_of
from aevents.types import Damage

T = TypeVar("T")


def outlet(channel: Channel[T], name: str, pumps: Pumps, *, live: bool) -> Stream[T]:
    """Return the stream of what comes through a channel. It can be read once."""
    taken: list[Outlet[T]] = []

    def open_once() -> Outlet[T]:
        if taken:
            raise anyio.BusyResourceError(f"reading a second time from {name}, a junction,")
        taken.append(Outlet(channel, pumps))
        return taken[0]

    return stream_of(Origin(name, waiting=open_once, live=live, queued=channel.__len__))


class Outlet(Generic[T]):
    """A channel as a waiting source. Its counts are the channel's and those of what goes in."""

    def __init__(self, channel: Channel[T], pumps: Pumps) -> None:
        self._channel = channel
        self._pumps = pumps

    @property
    def counts(self) -> Mapping[str, int]:
        """What was dropped here, and what was odd before."""
        before = (report.anomalies for report in self._pumps.reports())
        return add_counts([self._channel.counts, self._pumps.counts, *before])

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the inputs are damaged."""
        return [place for report in self._pumps.reports() for place in report.damage]

    async def __anext__(self) -> T:
        try:
            return await self._channel.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        except Exception:
            self._pumps.told = True
            raise

    def close(self) -> None:
        """Read no more: what is still sent is let go."""
        self._channel.abandon()

    async def aclose(self) -> None:
        """Read no more."""
        self.close()
