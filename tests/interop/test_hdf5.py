"""HDF5 files of ours are read by other software, and theirs by us: the same events.

Faults of peers that are known, and what our files must therefore not hold for the events to agree:

    evlib      does not add DSEC's t_offset          not read
    evlib      ECF: takes a first time of few bytes for something else    times from 1 s on
    evlib      Prophesee's layout only with ECF      not read
    evutils    needs Prophesee's plug-in for ECF     not read
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import EventBatch
from aevents.testing import example_events
from tests.interop.test_peers import PYTHON, SENSOR, ask_peer, described, pytestmark

__all__ = ["pytestmark"]  # it skips these tests too where there are no peers

EVENTS = example_events(40_000, sensor=SENSOR, start_us=11_718_656)

H5PY = """
import h5py, hashlib, json, numpy as np, sys
types = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "u1"}
with h5py.File(sys.argv[1]) as file:
    rows = file["CD/events"] if "CD" in file else {name: file["events"][name][:] for name in types}
    columns = {name: rows[name].astype(type) for name, type in types.items()}
    columns["t"] += file["t_offset"][()] if "t_offset" in file else 0
sums = {name: hashlib.sha256(column.tobytes()).hexdigest() for name, column in columns.items()}
print(json.dumps({"count": len(columns["t"])} | sums))
"""
"""h5py alone: what anybody would write."""

WAYS = {
    "prophesee": {"layout": "prophesee"},
    "ecf": {"compression": "ecf"},
    "gzip": {"compression": "gzip"},
    "dsec": {"layout": "dsec"},
    "tumvie": {"layout": "tumvie"},
}


def write(path: Path, **options: str) -> None:
    sink = aevents.create(path, **options)
    asyncio.run(aevents.from_array(np.asarray(EVENTS), SENSOR).to(sink))


@pytest.mark.parametrize("way", ["prophesee", "gzip", "dsec", "tumvie"])
def test_h5py_alone_reads_what_we_write(way: str, tmp_path: Path) -> None:
    write(tmp_path / "ours.h5", **WAYS[way])
    done = subprocess.run(
        [PYTHON, "-c", H5PY, tmp_path / "ours.h5"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == described(EVENTS)


@pytest.mark.parametrize(
    ("peer", "way"),
    [
        ("evlib", "ecf"),
        ("evlib", "tumvie"),
        ("evutils", "prophesee"),
        ("evutils", "gzip"),
        ("evutils", "dsec"),
        ("evutils", "tumvie"),
    ],
)
def test_a_peer_reads_what_we_write(peer: str, way: str, tmp_path: Path) -> None:
    write(tmp_path / "ours.h5", **WAYS[way])
    assert ask_peer("read", peer, "hdf5", tmp_path / "ours.h5") == described(EVENTS)


def test_we_read_what_evutils_writes(tmp_path: Path) -> None:
    path, given = tmp_path / "theirs.h5", tmp_path / "events.npy"
    np.save(given, np.asarray(EVENTS))
    ask_peer("write", "evutils", "hdf5", path, given)
    found: EventBatch = aevents.load(path)
    assert described(found) == described(EVENTS)
