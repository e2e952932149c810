"""Memory stays flat, however large the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aevents import EventBatch, Sensor
from aevents.registry import codec
from aevents.testing import encode, example_events

FILE_MB, MOST_MB = 200, 64

READ = """
import asyncio, pathlib, re, sys, aevents

def most_used() -> int:  # ru_maxrss would tell of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

async def read():
    async for batch in stream: pass

stream = aevents.open(sys.argv[2])
before = most_used()
if sys.argv[1] == "async":
    asyncio.run(read())
else:
    for batch in stream.blocking(): pass
print((most_used() - before) // 1024)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 200 MB: some events of one and the same microsecond, again and again."""
    some = example_events(100_000, sensor=Sensor(1280, 720))
    t = np.full(len(some), 77)
    events = EventBatch.from_columns(t=t, x=some.x, y=some.y, p=some.p, sensor=some.sensor)
    make = codec("evt3").encoder
    assert make is not None
    data = encode(make(), [events])
    end = data.index(b"% end\n") + 6
    path = tmp_path_factory.mktemp("large") / "large.raw"
    with path.open("wb") as file:
        file.write(data[:end])
        for _ in range(FILE_MB * 1_000_000 // (len(data) - end)):
            file.write(data[end:])
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["async", "blocking"])
def test_reading_a_large_file_takes_no_more_memory_than_a_small_one(way: str, large: Path) -> None:
    command = [sys.executable, "-c", READ, way, str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MB
