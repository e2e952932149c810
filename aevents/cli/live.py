"""A run from its sources through operators into its outputs, and what it says of itself."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import msgspec
from msgspec.structs import replace

from aevents import _pictures, registry
from aevents._contracts import Report
from aevents.cli.delivery import formats_for, sink_of
from aevents.cli.ending import run
from aevents.cli.figures import Row, mev, show, speed
from aevents.cli.inputs import Inputs
from aevents.cli.operators import Step, put, start_of
from aevents.cli.outputs import Outputs
from aevents.cli.progress import Progress
from aevents.cli.reading import Input

RATE_SECONDS = 1.0
"""Speeds are those of the last second."""


class Pace(msgspec.Struct, frozen=True):
    """How fast recordings are played, and how often again; see `Stream.paced`."""

    speed: float = 1.0
    repeat: int | bool = False


class Target(msgspec.Struct, frozen=True):
    """Where a run goes, in which format where a suffix leaves doubt, and whether it is silent."""

    names: Sequence[str]
    format: str | None = None
    quiet: bool = False


class Sample(msgspec.Struct, frozen=True):
    """How much had come and gone at some time."""

    time: float
    read: int
    written: int


class Live:
    """A run, and how far it has come. What cannot be is refused before anything is touched:
    `ValueError`, and what opening the sources raises.
    """

    def __init__(
        self,
        sources: Sequence[str],
        steps: Sequence[Step],
        target: Target,
        given: Input,
        pace: Pace | None = None,
    ) -> None:
        self._steps = steps
        self._pace = pace
        told = [_pictures.told(name) for name in target.names]
        names = [name for name, _ in told]
        self._target = replace(target, names=names)
        self.inputs: Inputs = Inputs(sources, given, start=start_of(steps))
        _refuse_to_overwrite(sources, names)
        frames = self._unit == "frames"
        formats = formats_for(names, target.format, frames=frames)
        sinks = [
            sink_of(name, format, **options)
            for (name, options), format in zip(told, formats, strict=True)
        ]
        realtime = self.inputs.live or pace is not None
        self.outputs: Outputs = Outputs(names, sinks, realtime=realtime)
        self._started = time.perf_counter()
        self._samples: deque[Sample] = deque()

    @property
    def rows(self) -> list[Row]:
        """What has been done so far, by name."""
        report, readings = self.outputs.report, self.inputs.readings
        sources = readings if len(readings) > 1 else ()
        return [
            *((one.name, f"{one.events:,} events") for one in sources),
            ("events", self.inputs.events),
            ("speed", speed(self.inputs.events, time.perf_counter() - self._started)),
            *self._made(report),
            *sorted(report.anomalies.items()),
            *((cause, f"{count:,} ({name})") for name, cause, count in self.outputs.drops()),
            *(("wrote", name) for name in self._target.names if name != "-"),
        ]

    def line(self, lag: float) -> str:
        """Return how it goes: millions of events, speeds in and out, the fullest queue, how late
        the event loop was, and losses by cause.
        """
        report, (queued, most) = self.outputs.report, self.outputs.fullest
        written = report.delivered if self._unit == "frames" else report.events
        now = Sample(time.perf_counter(), self.inputs.events, written)
        read_hz, written_hz = self._rates(now)
        frames = f"{written_hz:,.1f} frames/s"
        parts = [
            f"{mev(now.read)} Mev",
            f"in {mev(read_hz)} Mev/s",
            f"out {frames if self._unit == 'frames' else mev(written_hz) + ' Mev/s'}",
            *([f"queue {queued}/{most}"] if most else []),
            f"lag {lag * 1e3:.1f} ms",
            *(f"{name} {count:,}" for name, count in self._losses(report).items()),
        ]
        return "  ".join(parts)

    def run(self) -> None:
        """Run to the end; say meanwhile how it goes, and at the end, or when it is stopped, what
        was done. Raises `KeyboardInterrupt` when stopped, and what reading and writing raise.
        """
        try:
            run(self._run)
        except KeyboardInterrupt:
            self._show()
            raise
        self._show()

    async def _run(self) -> None:
        self._started = time.perf_counter()
        line = Progress(self.line, lambda: self.inputs.fraction, log=True)
        with nullcontext() if self._target.quiet else line:
            async with self.inputs.joined() as events:
                stream = put(events, self._steps)
                if self._pace is not None:
                    stream = stream.paced(speed=self._pace.speed, repeat=self._pace.repeat)
                await self.outputs.take(stream)

    def _show(self) -> None:
        if not self._target.quiet:
            show(self.rows, stderr="-" in self._target.names)

    @property
    def _unit(self) -> str:
        """What comes out, in the plural; batches have no name, for their size means nothing."""
        methods = [step.method for step in self._steps]
        return "frames" if "frames" in methods else "windows" if "window" in methods else ""

    def _made(self, report: Report) -> list[Row]:
        if self._unit:
            return [(self._unit, report.delivered)]
        return [("events out", report.events)] if report.events != self.inputs.events else []

    def _losses(self, report: Report) -> dict[str, int]:
        lost = {name: n for name, n in report.anomalies.items() if name in report.LOSSES}
        for _, cause, count in self.outputs.drops():
            lost[cause] = lost.get(cause, 0) + count
        return lost

    def _rates(self, now: Sample) -> tuple[float, float]:
        self._samples.append(now)
        while len(self._samples) > 2 and self._samples[1].time < now.time - RATE_SECONDS:
            self._samples.popleft()
        first = self._samples[0] if len(self._samples) > 1 else Sample(self._started, 0, 0)
        seconds = max(now.time - first.time, 1e-9)
        return (now.read - first.read) / seconds, (now.written - first.written) / seconds


def _refuse_to_overwrite(sources: Sequence[str], targets: Sequence[str]) -> None:
    for source in sources:
        if source == "-" or registry.split_url(source)[0]:
            continue
        for name in targets:
            if Path(name).is_file() and Path(name).samefile(source):
                raise ValueError(
                    f"{name} is the source itself: it cannot be read and written at once"
                )
