"""Other software of this field reads what we write, and we read what it writes: the same events.

The peers live in an environment of their own (`make .venv-peers/.installed`); `AEVENTS_PEERS` is
its Python, if it stands elsewhere. Each test is one process of that Python.

Faults of peers that are known, and what our files must therefore not hold for the events to agree:

    aestream, AEDAT4       knows no compression but LZ4                   LZ4
    aestream, EVT3         wrong times                                    not read
    evlib, AEDAT4          refuses columns and rows from 1024 on          a small sensor
    evlib, AEDAT4          knows no Zstd                                  not packed, LZ4
    evlib, EVT2            takes each step back of the clock for a turn   times in order, no turn
    evlib, EVT2.1          does not know the legacy order                 little-endian
    evlib, text            reads seconds as binary fractions, cut off     multiples of 1/64 s
    evlib, DAT             does not read it
    evutils, CSV           knows no header with the sensor's size         no size
    evutils, EVT2.1        knows the legacy order only                    legacy
    event_stream, ES       counts rows from the bottom, as the file does  (turned in adapters.py)
    expelliarmus, EVT2     does not unwrap the clock                      no turn
    expelliarmus, EVT3     takes a TIME_LOW that is less for a turn       4 ms, one TIME_HIGH
    faery, EVT2 EVT3 DAT   raises times that go back to the latest        times in order
    faery, EVT3            a new TIME_HIGH keeps the old TIME_LOW         TIME_LOW behind each
    faery, DAT             refuses events of type 0 (we write type 12)
    faery, EVT2.1 EVT4     knows neither "EVT21", as cameras write it, nor EVT4
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor
from aevents.registry import codec
from aevents.testing import encode, example_events

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "benchmarks" / "peers.py"
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
SENSOR = Sensor(1280, 720)

pytestmark = [
    pytest.mark.timeout(120),  # numba and polars take seconds to import
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}: make .venv-peers/.installed"),
]

ORDERED = example_events(20_000, sensor=SENSOR)
WITHIN_4_MS = EventBatch.from_columns(
    t=4096 * 700 + np.arange(20_000) // 5, x=ORDERED.x, y=ORDERED.y, p=ORDERED.p, sensor=SENSOR
)
BINARY_SECONDS = EventBatch.from_columns(
    t=15_625 * (np.arange(20_000) // 3), x=ORDERED.x, y=ORDERED.y, p=ORDERED.p, sensor=SENSOR
)
NO_SIZE = EventBatch.from_columns(t=ORDERED.t, x=ORDERED.x, y=ORDERED.y, p=ORDERED.p)
LATE_24 = example_events(5_000, sensor=SENSOR, start_us=(1 << 24) - 2_000_000)
LATE_32 = example_events(5_000, sensor=SENSOR, start_us=(1 << 32) - 2_000_000)
LATE_34 = example_events(5_000, sensor=SENSOR, start_us=(1 << 34) - 2_000_000)
TINY = example_events(2_000, sensor=Sensor(34, 34))
SMALL = example_events(20_000, sensor=Sensor(640, 480))
TEXT: Mapping[str, str | bool] = {"separator": " ", "header": False, "time_unit": "s"}
LEGACY = {"endianness": "legacy"}
NONE, LZ4, ZSTD = ({"compression": name} for name in ("none", "lz4", "zstd"))

READ: Mapping[str, tuple[str, str, str, EventBatch, Mapping[str, str | bool]]] = {
    "aedat4 by aedat": ("aedat", "aedat4-none", ".aedat4", ORDERED, NONE),
    "aedat4 by dv-processing": ("dv-processing", "aedat4-none", ".aedat4", ORDERED, NONE),
    "aedat4 by evlib": ("evlib", "aedat4-none", ".aedat4", SMALL, NONE),
    "aedat4 by evutils": ("evutils", "aedat4-none", ".aedat4", ORDERED, NONE),
    "aedat4 by faery": ("faery", "aedat4-none", ".aedat4", ORDERED, NONE),
    "aedat4, LZ4, by aedat": ("aedat", "aedat4-lz4", ".aedat4", ORDERED, LZ4),
    "aedat4, LZ4, by aestream": ("aestream", "aedat4-lz4", ".aedat4", ORDERED, LZ4),
    "aedat4, LZ4, by dv-processing": ("dv-processing", "aedat4-lz4", ".aedat4", ORDERED, LZ4),
    "aedat4, LZ4, by evlib": ("evlib", "aedat4-lz4", ".aedat4", SMALL, LZ4),
    "aedat4, LZ4, by evutils": ("evutils", "aedat4-lz4", ".aedat4", ORDERED, LZ4),
    "aedat4, LZ4, by faery": ("faery", "aedat4-lz4", ".aedat4", ORDERED, LZ4),
    "aedat4, Zstd, by aedat": ("aedat", "aedat4-zstd", ".aedat4", ORDERED, ZSTD),
    "aedat4, Zstd, by dv-processing": ("dv-processing", "aedat4-zstd", ".aedat4", ORDERED, ZSTD),
    "aedat4, Zstd, by evutils": ("evutils", "aedat4-zstd", ".aedat4", ORDERED, ZSTD),
    "aedat4, Zstd, by faery": ("faery", "aedat4-zstd", ".aedat4", ORDERED, ZSTD),
    "es by event_stream": ("event_stream", "es", ".es", ORDERED, {}),
    "es by faery": ("faery", "es", ".es", ORDERED, {}),
    "evt21 by evlib": ("evlib", "evt21", ".raw", ORDERED, {}),
    "evt21, legacy, by evutils": ("evutils", "evt21-legacy", ".raw", ORDERED, LEGACY),
    "evt21, legacy, a turn of the clock, by evutils": (
        "evutils", "evt21-legacy", ".raw", LATE_34, LEGACY,
    ),
    "evt3 by evt3": ("evt3", "evt3", ".raw", ORDERED, {}),
    "evt3, a turn of the clock, by evt3": ("evt3", "evt3", ".raw", LATE_24, {}),
    "evt4 by evutils": ("evutils", "evt4", ".raw", ORDERED, {}),
    "evt4, a turn of the clock, by evutils": ("evutils", "evt4", ".raw", LATE_34, {}),
    "dat by aestream": ("aestream", "dat", ".dat", ORDERED, {}),
    "nmnist by tonic": ("tonic", "nmnist", ".bin", TINY, {}),
    "evt2 by evlib": ("evlib", "evt2", ".raw", ORDERED, {}),
    "evt2 by evutils": ("evutils", "evt2", ".raw", ORDERED, {}),
    "evt2 by expelliarmus": ("expelliarmus", "evt2", ".raw", ORDERED, {}),
    "evt2 by faery": ("faery", "evt2", ".raw", ORDERED, {}),
    "evt2, a turn of the clock, by evutils": ("evutils", "evt2", ".raw", LATE_34, {}),
    "evt2, a turn of the clock, by faery": ("faery", "evt2", ".raw", LATE_34, {}),
    "evt3 by evlib": ("evlib", "evt3", ".raw", ORDERED, {}),
    "evt3 by evutils": ("evutils", "evt3", ".raw", ORDERED, {}),
    "evt3 by expelliarmus": ("expelliarmus", "evt3", ".raw", WITHIN_4_MS, {}),
    "evt3 by faery": ("faery", "evt3", ".raw", ORDERED, {}),
    "evt3, a turn of the clock, by evlib": ("evlib", "evt3", ".raw", LATE_24, {}),
    "evt3, a turn of the clock, by evutils": ("evutils", "evt3", ".raw", LATE_24, {}),
    "evt3, a turn of the clock, by faery": ("faery", "evt3", ".raw", LATE_24, {}),
    "dat by evutils": ("evutils", "dat", ".dat", ORDERED, {}),
    "dat by expelliarmus": ("expelliarmus", "dat", ".dat", ORDERED, {}),
    "dat by faery": ("faery", "dat", ".dat", ORDERED, {}),
    "dat, a turn of the clock, by evutils": ("evutils", "dat", ".dat", LATE_32, {}),
    "dat, a turn of the clock, by expelliarmus": ("expelliarmus", "dat", ".dat", LATE_32, {}),
    "dat, a turn of the clock, by faery": ("faery", "dat", ".dat", LATE_32, {}),
    "csv by evlib": ("evlib", "csv", ".txt", BINARY_SECONDS, TEXT),
    "csv by evutils": ("evutils", "csv", ".csv", NO_SIZE, {}),
    "csv by faery": ("faery", "csv", ".csv", ORDERED, {}),
    "npy by NumPy": ("numpy", "npy", ".npy", ORDERED, {}),
    "npz by NumPy": ("numpy", "npz", ".npz", ORDERED, {}),
    "npz by evutils": ("evutils", "npz", ".npz", ORDERED, {}),
}  # fmt: skip
"""Who reads which of our formats, with which events, written with which options."""

WRITTEN = {
    "aedat4 by dv-processing": ("dv-processing", "aedat4-none", ".aedat4", ORDERED),
    "aedat4 by evutils": ("evutils", "aedat4-none", ".aedat4", ORDERED),
    "aedat4 by faery": ("faery", "aedat4-none", ".aedat4", ORDERED),
    "aedat4, LZ4, by dv-processing": ("dv-processing", "aedat4-lz4", ".aedat4", ORDERED),
    "aedat4, LZ4, by evutils": ("evutils", "aedat4-lz4", ".aedat4", ORDERED),
    "aedat4, LZ4, by faery": ("faery", "aedat4-lz4", ".aedat4", ORDERED),
    "aedat4, Zstd, by dv-processing": ("dv-processing", "aedat4-zstd", ".aedat4", ORDERED),
    "aedat4, Zstd, by evutils": ("evutils", "aedat4-zstd", ".aedat4", ORDERED),
    "aedat4, Zstd, by faery": ("faery", "aedat4-zstd", ".aedat4", ORDERED),
    "es by event_stream": ("event_stream", "es", ".es", ORDERED),
    "es by faery": ("faery", "es", ".es", ORDERED),
    "evt21 by evutils": ("evutils", "evt21", ".raw", ORDERED),
    "evt4 by evutils": ("evutils", "evt4", ".raw", ORDERED),
    "npz by NumPy": ("numpy", "npz", ".npz", ORDERED),
    "evt2 by evutils": ("evutils", "evt2", ".raw", ORDERED),
    "evt2 by expelliarmus": ("expelliarmus", "evt2", ".raw", ORDERED),
    "evt2 by faery": ("faery", "evt2", ".raw", ORDERED),
    "evt3 by evutils": ("evutils", "evt3", ".raw", ORDERED),
    "evt3 by expelliarmus": ("expelliarmus", "evt3", ".raw", WITHIN_4_MS),
    "evt3 by faery": ("faery", "evt3", ".raw", ORDERED),
    "dat by evutils": ("evutils", "dat", ".dat", ORDERED),
    "dat by expelliarmus": ("expelliarmus", "dat", ".dat", ORDERED),
    "dat by faery": ("faery", "dat", ".dat", ORDERED),
    "csv by evlib": ("evlib", "csv", ".txt", ORDERED),
    "csv by evutils": ("evutils", "csv", ".csv", ORDERED),
    "csv by faery": ("faery", "csv", ".csv", ORDERED),
    "npy by NumPy": ("numpy", "npy", ".npy", ORDERED),
    "npz by evutils": ("evutils", "npz", ".npz", ORDERED),
}
"""Who writes which format that we read. (expelliarmus writes EVT3 with the fault above.)"""


@pytest.mark.parametrize("case", READ)
def test_a_peer_reads_what_we_write(case: str, tmp_path: Path) -> None:
    peer, format, suffix, events, options = READ[case]
    path = tmp_path / f"ours{suffix}"
    encoder = codec(format.partition("-")[0]).encoder
    assert encoder is not None
    path.write_bytes(encode(encoder(**options), [events]))
    assert ask_peer("read", peer, format, path) == described(events)


@pytest.mark.parametrize("case", WRITTEN)
def test_we_read_what_a_peer_writes(case: str, tmp_path: Path) -> None:
    peer, format, suffix, events = WRITTEN[case]
    path, given = tmp_path / f"theirs{suffix}", tmp_path / "events.npy"
    np.save(given, np.asarray(events))
    ask_peer("write", peer, format, path, given)
    assert described(aevents.load(path)) == described(events)


def described(events: EventBatch) -> dict[str, object]:
    """Return the count and the sha256 of each column, as the peers' script does."""
    columns = {"t": events.t.data, "x": events.x.data, "y": events.y.data, "p": events.p.data}
    sums = {name: hashlib.sha256(column).hexdigest() for name, column in columns.items()}
    return {"count": len(events), **sums}


def ask_peer(task: str, *arguments: str | Path) -> object:
    """Run the peers' script; return what it prints."""
    command = [PYTHON, SCRIPT, task, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout or "null")
