"""What does streaming cost? From a file to `async for`, against decoding the same bytes in memory.

A real recording, repeated until it is large, in CPU time of the whole process (all threads, user
and system): read by `async for` on uvloop and on asyncio, by `.blocking()`, and by `aevents.load`,
against the decoder fed from memory, and against the bare kernel with columns used again.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path

import uvloop

import aevents
from aevents._native import kernels
from aevents.codecs.base import Watch
from aevents.codecs.evt2 import Evt2Decoder
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.header import parse_header
from benchmarks.inputs import repeated
from benchmarks.measure import Answer, Gate, Options, Table, race

SIZE = 64_000_000
CHUNK = 1 << 20
DECODERS = {"evt3": Evt3Decoder, "evt2": Evt2Decoder}
STREAM, PURE, BARE = "async for, uvloop", "decoder, from memory", "kernel, from memory"


def run(options: Options) -> Answer:
    """Measure both formats."""
    tables, gates = [], []
    for format in DECODERS:
        path = repeated(format, 1_000_000 if options.smoke else SIZE, options)
        events, best = compare(format, path, options.rounds(7))
        rows: list[tuple[str | float | None, ...]] = [
            (name, best[PURE] / time, best[BARE] / time, events / time / 1e6)
            for name, time in best.items()
        ]
        title = f"{format}: {path.stat().st_size / 1e6:.0f} MB, {events} events"
        columns = ("way", "of the decoder's speed", "of the kernel's speed", "Mev a CPU second")
        tables.append(Table(title, columns, rows))
        share = best[PURE] / best[STREAM]
        gates.append(Gate(f"{format}, `async for` against the decoder", share, at_least=0.65))
    return Answer(tables, gates)


def compare(format: str, path: Path, rounds: int) -> tuple[int, dict[str, float]]:
    """Return the number of events, and the best CPU time of each way."""
    data = path.read_bytes()
    contestants: dict[str, Callable[[], int]] = {
        BARE: lambda: by_kernel(format, data),
        PURE: lambda: by_decoder(format, data),
        "blocking": lambda: by_loop(path),
        STREAM: lambda: by_async_loop(path, uvloop.new_event_loop),
        "async for, asyncio": lambda: by_async_loop(path, asyncio.new_event_loop),
        "load": lambda: len(aevents.load(path)),
    }
    counts = {run() for run in contestants.values()}
    assert len(counts) == 1, counts
    return counts.pop(), race(contestants, rounds, clock=cpu_seconds)


def by_kernel(format: str, data: bytes) -> int:
    """Decode by the kernel alone; return the number of events."""
    header = parse_header(data, Watch(format, strict=False), final=True)
    assert header is not None
    decode, size = getattr(kernels, f"{format}_decode"), DECODERS[format].word_bytes
    state, out = getattr(kernels, f"{format}_state")(), kernels.columns()
    at, stop, events = header.length, len(data) - (len(data) - header.length) % size, 0
    words = memoryview(data)[:stop]
    while at < stop:
        at = decode(words, at, state, out)
        events += out.n
    return events


def by_decoder(format: str, data: bytes) -> int:
    """Feed the decoder, in chunks as a file has them; return the number of events."""
    decoder, events, view = DECODERS[format](), 0, memoryview(data)
    for start in range(0, len(view), CHUNK):
        events += sum(map(len, decoder.feed(view[start : start + CHUNK])))
    return events + sum(map(len, decoder.flush()))


def by_loop(path: Path) -> int:
    """Read the file by `for`; return the number of events."""
    return sum(map(len, aevents.open(path).blocking()))


def by_async_loop(path: Path, loop: Callable[[], asyncio.AbstractEventLoop]) -> int:
    """Read the file by `async for`; return the number of events."""

    async def read() -> int:
        events = 0
        async for batch in aevents.open(path):
            events += len(batch)
        return events

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(read())


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
