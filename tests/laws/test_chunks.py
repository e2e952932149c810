"""Chunks in bounded memory, however large or slow what is around them."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import asyncio, pathlib, re, time, aevents
from aevents.compat import BufferEmit

MIB = 1 << 20

def most_used():  # ru_maxrss would tell of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

def slow(*_):
    time.sleep(0.05)

async def in_workers(count, size):
    stream = aevents.from_chunks(bytes([i]) * size for i in range(count))
    async with aevents.workers(stream, slow, count=4, max_pending=4) as results:
        async for _ in results:
            pass

def in_a_buffer(count, size):
    with BufferEmit(slow, size, mode="thread", npool=4, max_pending=4) as buffer:
        for i in range(count):
            buffer.write(bytes([i]) * size)

def cut(data):
    stream = aevents.from_chunks([data]).rechunk(64, exact=True)
    return sum(1 for _ in stream.blocking())
"""
WORKERS = """
asyncio.run(in_workers(20, 10))
before = most_used()
asyncio.run(in_workers(200, MIB))
"""
BUFFER = """
in_a_buffer(20, 10)
before = most_used()
in_a_buffer(200, MIB)
"""
CUT = """
data = bytes(64 * MIB)
cut(data[:MIB])
before = most_used()
assert cut(data) == 1_048_576
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("work", [WORKERS, BUFFER, CUT], ids=["workers", "buffer", "cut"])
def test_memory_stays_flat(work: str) -> None:
    code = f"{BEGIN}{work}print((most_used() - before) // 1024)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 24  # ten or so of 200 at a time, and what threads keep
