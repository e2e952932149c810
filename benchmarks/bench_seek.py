"""How long does it take to get at the middle of a long recording, against decoding up to there?

A file of 1 GB, in the page cache: `open(path).time_slice(middle, middle + 1 ms)`, against reading
all that comes before. CPU time of the process, all threads.
"""

from __future__ import annotations

from pathlib import Path

import aevents
from aevents import ms
from benchmarks.bench_stream import cpu_seconds
from benchmarks.inputs import FILES, long
from benchmarks.measure import Answer, Gate, Options, Table, race

FORMATS = ("evt3", "evt2", "dat", "aedat4-lz4")
SIZE = 1_000_000_000
AT_LEAST = 50


def run(options: Options) -> Answer:
    """Measure each format."""
    rows: list[tuple[str | float | None, ...]] = []
    gates = []
    for format in FORMATS:
        path = long(format, 4_000_000 if options.smoke else SIZE, options)
        seek, decode = compare(path, options.rounds(3))
        title, size = FILES[format].title, path.stat().st_size
        path.unlink()
        rows.append((title, size / 1e6, 1000 * seek, 1000 * decode, decode / seek))
        gates.append(Gate(f"{title}, times decoding", decode / seek, at_least=AT_LEAST))
    columns = ("format", "MB", "to the middle, ms", "decoding up to it, ms", "times")
    return Answer([Table("seeking", columns, rows)], gates)


def compare(path: Path, rounds: int) -> tuple[float, float]:
    """Return the best times of getting at the middle, and of decoding up to it."""
    stream = aevents.open(path)
    times = [(int(batch.t[0]), int(batch.t[-1])) for batch in stream.blocking() if len(batch)]
    middle = (times[0][0] + times[-1][1]) // 2

    def count(start: int, stop: int) -> int:
        return sum(map(len, stream.time_slice(start, stop).blocking()))

    assert count(0, middle) > count(middle, middle + ms) >= 0
    best = race(
        {
            "seek": lambda: count(middle, middle + ms),
            "decode": lambda: count(0, middle),
        },
        rounds,
        clock=cpu_seconds,
    )
    return best["seek"], best["decode"]
