"""How fast is each format read, against each peer that reads it? Streaming against streaming.

A recording, repeated until it is large, in each format: `for batch in open(path).blocking()`
against what each peer offers to go through a file piece by piece, or to load it whole if it offers
no more (adapters.py). A peer that does not read the very events of the file is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.contest import Match, Result, answer, race, read_right, require_peers
from benchmarks.inputs import FILES, file_of
from benchmarks.measure import Answer, Options

READERS = {
    "evt2": ("evlib", "evutils", "expelliarmus", "faery"),
    "evt21": ("evlib",),
    "evt21-legacy": ("evutils",),
    "evt3": ("aestream", "evlib", "evt3", "evutils", "expelliarmus", "faery"),
    "evt4": ("evutils",),
    "dat": ("aestream", "evutils", "expelliarmus", "faery"),
    "es": ("event_stream", "faery"),
    "aedat4-none": ("aedat", "dv-processing", "evlib", "evutils", "faery"),
    "aedat4-lz4": ("aedat", "aestream", "dv-processing", "evlib", "evutils", "faery"),
    "aedat4-zstd": ("aedat", "dv-processing", "evutils", "faery"),
    "aedat2": ("evutils", "tonic"),
    "aedat3": ("evutils",),
    "csv": ("evutils", "faery"),
    "csv-seconds": ("evlib",),
    "npy": ("numpy",),
    "npz": ("evutils", "numpy"),
    "hdf5": ("evutils", "h5py"),
    "hdf5-ecf": ("evlib",),
    "hdf5-plain": ("evlib", "evutils", "h5py"),
    "hdf5-blosc": ("evlib", "evutils", "h5py"),
    "hdf5-gzip": ("evlib", "evutils", "h5py"),
    "nmnist": ("tonic",),
}
"""Who reads which format; whether rightly is found out."""

AT_LEAST = {
    "evt2": 2.5, "evt3": 3, "dat": 2, "es": 5, "csv": 3, "aedat4-lz4": 1.5, "aedat4-zstd": 1.5,
}  # fmt: skip
"""How many times as fast as the fastest peer we want to be."""


def run(options: Options) -> Answer:
    """Measure each format."""
    require_peers()
    results = [contest(match, options) for match in matches(options)]
    return answer(results)


def contest(match: Match, options: Options) -> Result:
    """Check what each reads, then let those that are right take turns."""
    right = read_right(match)
    tasks = {name: (match.format, match.path) for name in right if right[name]}
    best = race("read", tasks, options)
    size = match.path.stat().st_size
    match.path.unlink()
    return Result(match, right, best, size)


def matches(options: Options) -> Iterator[Match]:
    """Make the files, one after the other."""
    for format, peers in READERS.items():
        if format in (options.formats or READERS):
            path, events = file_of(format, options)
            yield Match(FILES[format].title, format, path, events, peers, AT_LEAST.get(format, 1.0))
