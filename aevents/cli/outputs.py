"""What a run makes on its way into its outputs: one, or several that do not hold up each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import anyio
from msgspec.structs import replace

from aevents import registry
from aevents._contracts import Report, Sink
from aevents._driver import AsyncRun
from aevents.cli.inputs import HELD
from aevents.junctions.channel import Overflow
from aevents.junctions.tee import tee
from aevents.stream import Stream, deliver

LIVE = replace(HELD, policy="drop_oldest")
"""What waits for a reader that may be slow, where others are not to wait for it."""
DROPS = "queue_dropped_"


class Output:
    """A sink by its name, what waits for it, and what has come to it."""

    def __init__(self, name: str, sink: Sink[object], overflow: Overflow) -> None:
        self.name: str = name
        self.overflow: Overflow = overflow
        self.failed: bool = False
        self.run: AsyncRun[object] | None = None
        self.stream: Stream[object] | None = None
        self._sink = sink

    @property
    def report(self) -> Report:
        """What has come so far."""
        return self.run.report if self.run else Report(0, 0, {})

    @property
    def queued(self) -> int:
        """How many items wait for it."""
        queued = self.stream.origin.queued if self.stream else None
        return queued() if queued else 0

    async def write(self, item: object, /) -> None:
        """Write one item."""
        try:
            await self._sink.write(item)
        except Exception:
            self.failed = True
            raise

    async def aclose(self) -> None:
        """Finish what was written."""
        try:
            await self._sink.aclose()
        except Exception:
            self.failed = True
            raise


class Outputs:
    """Sinks by name, and how much has gone into them.

    Several are written each by a task of its own. All wait for the slowest; but in `realtime` one
    that is no file drops what it is too slow for, the oldest first, and holds up nobody. One whose
    reader has left, as in `| head`, is let go; any other error ends all.
    """

    def __init__(
        self, names: Sequence[str], sinks: Sequence[Sink[object]], *, realtime: bool
    ) -> None:
        policies = [LIVE if realtime and not lasts(name) else HELD for name in names]
        self.outputs: list[Output] = list(map(Output, names, sinks, policies))
        self._error: Exception | None = None

    @property
    def report(self) -> Report:
        """What has come out of the operators so far, without the drops of single outputs."""
        first = max((one.report for one in self.outputs), key=lambda report: report.delivered)
        odd = {name: n for name, n in first.anomalies.items() if not name.startswith(DROPS)}
        return Report(first.delivered, first.events, odd)

    @property
    def fullest(self) -> tuple[int, int]:
        """How many items wait for the output that is most behind, and how many may; 0 of 0 where
        there are no queues.
        """
        queues = [(one.queued, one.overflow.capacity or 0) for one in self.outputs]
        several = len(self.outputs) > 1
        return max(queues, key=lambda queue: queue[0] / queue[1]) if several else (0, 0)

    def drops(self) -> Iterator[tuple[str, str, int]]:
        """Yield name, cause and count of what single outputs were too slow for."""
        for one in self.outputs:
            counts = one.report.anomalies.items()
            yield from ((one.name, cause, n) for cause, n in counts if cause.startswith(DROPS))

    async def take(self, stream: Stream[object]) -> None:
        """Write every item of the stream to each output, and finish them however it ends. Raises
        what reading and writing raise.
        """
        if len(self.outputs) == 1:
            await self._write(stream, self.outputs[0], anyio.CancelScope())
        else:
            async with (
                tee(stream, *(one.overflow for one in self.outputs)) as branches,
                anyio.create_task_group() as tasks,
            ):
                for branch, output in zip(branches, self.outputs, strict=True):
                    output.stream = branch
                    tasks.start_soon(self._write, branch, output, tasks.cancel_scope)
        if self._error is not None:
            raise self._error

    async def _write(
        self, stream: Stream[object], output: Output, others: anyio.CancelScope
    ) -> None:
        try:
            async with stream.open() as output.run:
                await deliver(output.run, [output])
        except BrokenPipeError:
            if not output.failed:  # it was no reader of ours
                raise
        except Exception as error:
            self._error = self._error or error
            if output.failed:  # an error of the source comes to the others too, behind all items
                others.cancel()


def lasts(name: str) -> bool:
    """Say whether this is a file: what goes into it is to be whole."""
    if name == "-" or registry.split_url(name)[0]:
        return False
    path = Path(name)
    return path.is_file() or not path.exists()
