"""How a stream runs: `Run` is the state machine, `AsyncRun` and `BlockingRun` are the two ways to
turn it.

    Run:     source, chain, ready items
    a step:  item = next(source);  ready.extend(chain.feed(item))      (at the end: chain.flush())

Results land in `ready` under a lock, inside the worker, before any await returns. So a cancelled
read loses nothing, whichever way it is cancelled, and a step that a native cancellation left
running in its thread is waited for by the next step or by the close.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, Never, Self, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from aevents._contracts import BlockingSource, Origin, Report, WaitingSource
from aevents.operators.base import Chain, Operator, add_counts
from aevents.types import Chunk, EventBatch

T = TypeVar("T")

HOP_SECONDS = 0.002
"""A hop to a worker costs 0.1-0.2 ms: on finite sources it goes on until it has done ten times
that.
"""
HOP_ITEMS = 1024
"""... or until this many items are ready, so that small items do not pile up."""
HOP_BYTES = 4 << 20
"""... or until chunks of so many bytes are, so that large ones do not."""
INLINE_BYTES = 16_384
"""Live chunks up to this size (under 0.3 ms of decoding) are fed on the loop: a hop would
cost more. A file goes to a worker even then: its first chunk may have modules to import."""
INLINE_EVENTS = 4_096
"""Likewise live batches of events: as many as those bytes of EVT2 hold."""
CLOSE_SECONDS = 5
"""How long an orderly close may take before it is abandoned."""


class Run(Generic[T]):
    """A source, a chain and the items that are ready: one run of a stream, turned from outside.

    `pull` gives the next item of a blocking source; without it items come by `feed`.
    """

    __slots__ = (
        "_eager", "_ended", "_lock", "_operators", "_pending", "_pull", "_source",
        "closed", "delivered", "error", "events", "ready",
    )  # fmt: skip

    def __init__(
        self,
        source: BlockingSource[object] | WaitingSource[object],
        operators: Sequence[Operator[Never, object]],
        *,
        pull: Callable[[], object] | None,
        eager: bool,
    ) -> None:
        self.ready: deque[T] = deque()
        self.error: Exception | None = None
        self.closed = False
        self.delivered = 0
        self.events = 0
        self._source = source
        self._operators: Chain[object, T] = Chain(operators)
        self._pull = pull
        self._eager = eager
        self._pending: Iterator[T] | None = None
        self._ended = False
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        """Whether all that was fed has been worked off: the next move needs a new item."""
        return self._pending is None

    @property
    def busy(self) -> bool:
        """Whether some thread is at work on it right now."""
        return self._lock.locked()

    @property
    def finished(self) -> bool:
        """Whether nothing more will become ready."""
        return self.closed or self.error is not None or (self._ended and self._pending is None)

    @property
    def report(self) -> Report:
        """What has happened so far."""
        counts = add_counts((getattr(self._source, "counts", {}), self._operators.counts))
        damage = (*getattr(self._source, "damage", ()), *self._operators.damage)
        return Report(self.delivered, self.events, counts, damage)

    def feed(self, item: object) -> None:
        """Take one item of the source; `work` makes the results."""
        self._pending = iter(self._operators.feed(item))

    def end(self) -> None:
        """Note that the input has ended; `work` makes the last results."""
        if not self._ended:
            self._ended = True
            self._pending = self._operators.flush()

    def work(self) -> None:
        """Make results for a hop's worth of time. An exception is kept until the results before it
        are taken.
        """
        with self._lock:
            try:
                self._work_until(time.perf_counter() + HOP_SECONDS)
            except Exception as error:  # raised again by the reader, when all before it is taken
                self.error = error

    def take(self) -> T:
        """Give the first ready item."""
        item = self.ready.popleft()
        self.delivered += 1
        if isinstance(item, EventBatch):
            self.events += len(item)
        return item

    def close(self) -> None:
        """Close the source at once, or after the work that is under way."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self._pending = None
                self._source.close()

    def _work_until(self, deadline: float) -> None:
        room = HOP_BYTES
        while not self.finished:
            if self._pending is None and not self._refill():
                return
            for item in self._pending or ():
                self.ready.append(item)
                if self._eager or len(self.ready) >= HOP_ITEMS or time.perf_counter() > deadline:
                    return
                if isinstance(item, Chunk) and (room := room - item.nbytes) <= 0:
                    return
            self._pending = None
            if self._operators.done:
                self.end()
            if time.perf_counter() > deadline:
                return

    def _refill(self) -> bool:
        if self._pull is None:
            return False
        try:
            item = self._pull()
        except StopIteration:
            self.end()
            return True
        if isinstance(item, bytes) and not item:  # nothing has come: what is ready goes first
            return not self.ready
        self.feed(item)
        return True


class AsyncRun(Generic[T]):
    """A running stream, read with `async for`; closed by leaving the loop, or in order by `async
    with`.

    Reading it from a second task while one waits raises `anyio.BusyResourceError`.
    """

    def __init__(
        self, origin: Origin[object], operators: Sequence[Operator[Never, object]]
    ) -> None:
        self._waiting = origin.waiting() if origin.waiting else None
        source = self._waiting or _blocking(origin)
        pull = None if self._waiting else source.__next__  # type: ignore[union-attr]  # not a waiting one
        self._run: Run[T] = Run(source, operators, pull=pull, eager=origin.live)
        self._plain = not operators
        self._live = origin.live
        self._limiter = anyio.CapacityLimiter(1) if origin.live and not self._waiting else None
        self._inline = False
        self._reading = False

    @property
    def report(self) -> Report:
        """What has happened so far, as counts by name."""
        return self._run.report

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._reading:
            raise anyio.BusyResourceError("reading from")
        self._reading = True
        try:
            await anyio.lowlevel.checkpoint()
            while not self._run.ready:
                if self._run.finished:
                    self._finish()
                await self._fill()
            return self._run.take()
        finally:
            self._reading = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the source at once, or after the step that is at work. May be called twice."""
        self._run.close()

    async def aclose(self) -> None:
        """Close the source, and wait until it is closed, even when cancelled."""
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            if self._run.busy:  # a step that a native cancellation left behind
                await anyio.to_thread.run_sync(self._run.close)
            self._run.close()
            if self._waiting:
                await self._waiting.aclose()

    def __del__(self) -> None:
        run = getattr(self, "_run", None)
        if run is not None and not run.closed:
            busy = run.busy
            run.close()
            if busy:
                warnings.warn("a stream was dropped at work", ResourceWarning, stacklevel=2)

    async def _fill(self) -> None:
        """Await the next item if one is needed, and make results of it; on the loop if small."""
        if self._waiting and self._run.idle:
            try:
                item = await self._waiting.__anext__()
            except StopAsyncIteration:
                self._run.end()
                self._inline = False
            except Exception as error:  # raised again by __anext__, as from any step
                self._run.error = error
            else:
                self._run.feed(item)
                self._inline = self._plain or (self._live and _is_small(item))
        if self._inline:
            self._run.work()
        else:
            await anyio.to_thread.run_sync(self._run.work, limiter=self._limiter)

    def _finish(self) -> None:
        self._run.close()
        raise self._run.error or StopAsyncIteration


class BlockingRun(Generic[T]):
    """A running stream without an event loop, read with `for`; closed by its end, `close()` or
    `with`.
    """

    def __init__(
        self, origin: Origin[object], operators: Sequence[Operator[Never, object]]
    ) -> None:
        source = _blocking(origin)
        self._run: Run[T] = Run(source, operators, pull=source.__next__, eager=True)

    @property
    def report(self) -> Report:
        """What has happened so far, as counts by name."""
        return self._run.report

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while not self._run.ready:
            if self._run.finished:
                self._run.close()
                raise self._run.error or StopIteration
            self._run.work()
        return self._run.take()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        run = getattr(self, "_run", None)
        if run is not None:
            run.close()

    def close(self) -> None:
        """Close the source at once. May be called twice."""
        self._run.close()


def _blocking(origin: Origin[object]) -> BlockingSource[object]:
    if origin.blocking is None:
        raise TypeError(f"{origin.name} has no blocking form: read it with `async for`")
    return origin.blocking()


def _is_small(item: object) -> bool:
    if isinstance(item, EventBatch):
        return len(item) <= INLINE_EVENTS
    return isinstance(item, bytes | bytearray | memoryview) and len(item) <= INLINE_BYTES
