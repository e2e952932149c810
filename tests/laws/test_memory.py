"""Memory stays flat, however large the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor
from aevents.registry import codecs
from aevents.testing import example_events
from tests.containers import bags
from tests.recordings import (
    mcap_channel,
    mcap_message,
    mcap_of,
    ros_events,
    rosbag_connection,
    rosbag_message,
    rosbag_of,
)

FILE_MB = int(os.environ.get("AEVENTS_LARGE_MB", "100"))
MOST_MB = 64
"""How large the files are, and how much more memory reading one may take than there was before."""

READ = """
import asyncio, pathlib, re, sys, aevents

def most_used() -> int:  # ru_maxrss would tell of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

async def read():
    async for batch in stream: pass

stream = aevents.open(sys.argv[2], format=sys.argv[3])
before = most_used()
if sys.argv[1] == "async":
    asyncio.run(read())
else:
    for batch in stream.blocking(): pass
print((most_used() - before) // 1024)
"""


SENSORS = {"nmnist": Sensor(34, 34)}
EVENTS = 100_000
LEAST_BYTES = 3  # an event takes in the files that are written here


def some_events(format: str) -> EventBatch:
    """Events of one and the same microsecond, which every format holds again and again."""
    some = example_events(EVENTS, sensor=SENSORS.get(format, Sensor(1280, 720)))
    t = np.full(len(some), 77)
    return EventBatch.from_columns(t=t, x=some.x, y=some.y, p=some.p, sensor=some.sensor)


async def write_large(path: Path, format: str, options: dict[str, str]) -> None:
    """Write a file of at least so many MB, as far as can be seen before its end."""
    sink, events = aevents.create(path, format=format, **options), some_events(format)
    for _ in range(FILE_MB * 1_000_000 // LEAST_BYTES // EVENTS):
        await sink.write(events)
        if await anyio.to_thread.run_sync(size_of, path.parent) > FILE_MB * 1_000_000:
            break
    await sink.aclose()


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


WRITTEN = [one.name for one in codecs() if one.writable and one.kinds[0] is EventBatch]
HDF5 = [
    {"layout": layout, "compression": compression}
    for layout, compressions in {
        "prophesee": ("none", "ecf"),
        "dsec": ("none", "blosc"),
        "tumvie": ("none", "gzip"),
    }.items()
    for compression in compressions
]
WAYS: list[tuple[str, str, dict[str, str]]] = [
    ("blocking", "evt3", {}),
    *(("async", name, {}) for name in WRITTEN if name != "hdf5"),
    *(("async", "hdf5", options) for options in HDF5),
]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("way", "format", "options"), WAYS, ids=["-".join((*way, *of.values())) for *way, of in WAYS]
)
def test_a_large_file_takes_no_more_memory_than_a_small_one(
    way: str, format: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "large"
    anyio.run(write_large, path, format, options)
    assert more_memory(way, path, format) < MOST_MB


def more_memory(way: str, path: Path, format: str) -> int:
    """Return by how many MB reading this file raises the memory that was ever in use; remove it."""
    command = [sys.executable, "-c", READ, way, str(path), format]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", ["async", "blocking"])
def test_a_large_matrix_in_fortran_order_takes_no_more_memory(way: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    rows = FILE_MB * 1_000_000 // 32
    matrix = np.lib.format.open_memmap(path, "w+", "f8", (rows, 4), fortran_order=True)
    matrix[:, 0] = np.linspace(0, 60, rows)
    matrix.flush()
    del matrix
    assert more_memory(way, path, "npy") < MOST_MB


def some_chunks(format: str) -> tuple[bytes, bytes]:
    """Return the beginning of a bag, and a chunk of events that it may have any number of."""
    message = ros_events(*[(77, i % 320, i % 240, i % 2) for i in range(50_000)])
    if format == "rosbag":
        begin = rosbag_of([rosbag_connection(1, b"/e", b"dvs_msgs/EventArray")])
        return begin, rosbag_of([rosbag_message(1, message)], pack=True)[len(rosbag_of()) :]
    begin = mcap_of([mcap_channel(1, b"/e", b"dvs_msgs/EventArray")], end=False)
    some = mcap_of([mcap_message(1, message)], end=False)
    return begin, some[len(mcap_of(end=False)) :]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("format", ["rosbag", "mcap"])
def test_a_large_bag_takes_no_more_memory_than_a_small_one(format: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    begin, chunk = some_chunks(format)
    with path.open("wb") as file:
        file.write(begin)
        while file.tell() < FILE_MB * 1_000_000:
            file.write(chunk)
    assert more_memory("async", path, format) < MOST_MB


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(600)
def test_a_large_bag_of_sqlite_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    message = bags.packet_message(bags.mono(some_events("ros2")), "mono")
    (path,) = bags.write_ros2(tmp_path / "bag", [message]).glob("*.db3")
    data = bags.serialised(message, cdr=True)
    with closing(sqlite3.connect(path)) as database:
        rows = ((1, 1, data) for _ in range(FILE_MB * 1_000_000 // len(data)))
        insert = "INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)"
        database.executemany(insert, rows)
        database.commit()
    assert more_memory("async", path, "ros2") < MOST_MB
