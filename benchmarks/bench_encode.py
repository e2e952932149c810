"""How fast is each format written, against each peer that writes it?

The same events, made ready as each program takes them: `stream.to(create(path))` against what each
peer offers to write a file (adapters.py). We read each file back: a peer whose file does not hold
those events is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.contest import (
    OURS,
    Match,
    Result,
    answer,
    described,
    race,
    reads,
    require_peers,
    writes,
)
from benchmarks.inputs import FILES, scene
from benchmarks.measure import Answer, Options

WRITERS = {
    "evt2": ("evutils", "expelliarmus", "faery"),
    "evt21": ("evutils",),
    "evt21-legacy": ("evutils",),
    "evt3": ("evutils", "expelliarmus", "faery"),
    "evt4": ("evutils",),
    "dat": ("evutils", "expelliarmus", "faery"),
    "es": ("event_stream", "faery"),
    "aedat4-none": ("dv-processing", "evutils", "faery"),
    "aedat4-lz4": ("dv-processing", "evutils", "faery"),
    "aedat4-zstd": ("dv-processing", "evutils", "faery"),
    "csv": ("evutils", "faery"),
    "csv-seconds": ("evlib",),
    "npy": ("numpy",),
    "npz": ("evutils", "numpy"),
}
"""Who writes which format; whether we read the same events in it is found out."""


def run(options: Options) -> Answer:
    """Measure each format."""
    require_peers()
    given = options.folder / "events.npy"
    np.save(given, np.asarray(scene(options)))
    return answer([contest(match, given, options) for match in matches(options)])


def contest(match: Match, given: Path, options: Options) -> Result:
    """Check what each writes, then let those that are right take turns."""
    expected, right, tasks = described(match.events), {}, {}
    for name in (OURS, *match.peers):
        path = match.path.with_name(f"{name}_{match.path.name}")
        written = writes(name, match.format, path, given)
        right[name] = written and reads(OURS, match.format, path) == expected
        if right[name]:
            tasks[name] = (match.format, path, given)
    best = race("write", tasks, options)
    size = match.path.with_name(f"{OURS}_{match.path.name}").stat().st_size
    for path in options.folder.glob(f"*_{match.path.name}"):
        path.unlink()
    return Result(match, right, best, size)


def matches(options: Options) -> Iterator[Match]:
    """Give the formats, one after the other."""
    for format, peers in WRITERS.items():
        if format in (options.formats or WRITERS):
            file = FILES[format]
            path = options.folder / f"{format}{file.suffix}"
            yield Match(file.title, format, path, scene(options), peers)
