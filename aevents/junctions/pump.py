"""The tasks of junctions: each reads one stream and hands its items on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio

from aevents._contracts import Report
from aevents._driver import AsyncRun
from aevents.junctions.channel import Channel
from aevents.stream import Stream

T = TypeVar("T")


class Pumps:
    """Streams that are being read, and the channels that they end in.

    The first error ends all: it comes out of the channels as itself, behind what was read before
    it. If nobody reads it there, it comes out where the junction is left.
    """

    def __init__(self, channels: Sequence[Channel[Any]]) -> None:
        self.error: Exception | None = None
        self.told: bool = False  # somebody knows of the error
        self.counts: dict[str, int] = {}  # of what the junction itself found odd
        self._runs: list[AsyncRun[Any]] = []
        self._scopes: list[anyio.CancelScope] = []
        self._channels = channels

    def reports(self) -> list[Report]:
        """Return what has happened so far in each stream."""
        return [run.report for run in self._runs]

    async def pump(self, stream: Stream[T], hand_on: Callable[[T], Awaitable[bool]]) -> None:
        """Hand on each item of a stream, until that says that nobody wants more."""
        scope = anyio.CancelScope()
        self._scopes.append(scope)
        try:
            with scope:
                async with stream.open() as run:
                    self._runs.append(run)
                    async for item in run:
                        if not await hand_on(item):
                            break
        except Exception as error:  # comes out of the channels
            self.fail(error)
        finally:
            self._scopes.remove(scope)
            if not self._scopes:
                self.end()

    def count(self, name: str, number: int = 1) -> None:
        """Count something odd."""
        if number:
            self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, error: Exception) -> None:
        """End all with this error, if it is the first."""
        if self.error is None:
            self.error = error
            self.end(error)
            for scope in self._scopes:
                scope.cancel()

    def end(self, error: Exception | None = None) -> None:
        """Close the channels."""
        for channel in self._channels:
            channel.close(error)

    def raise_unread(self) -> None:
        """Raise the error that nobody was told of."""
        if self.error is not None and not self.told:
            raise self.error


@asynccontextmanager
async def running(tasks: Iterable[Callable[[], Coroutine[Any, Any, None]]]) -> AsyncIterator[None]:
    """Run these tasks while the body runs, and cancel them when it is left.

    A lone exception comes out as itself, not as a group of one.
    """
    try:
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(task)
            yield
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise
