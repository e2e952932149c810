"""A whole pipeline, from file to frames and to another file, cancelled wherever it awaits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

import aevents
from aevents import EventBatch, Frame, Stream
from aevents.codecs.evt3 import Evt3Encoder
from aevents.sources import file
from aevents.testing import assert_same, assert_same_events, encode, example_events

EVENTS = example_events(3_000)
Read = Callable[[], Awaitable[None]]


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream[EventBatch]:
    """A file read in many small chunks, so that there are many points to be cancelled at."""
    monkeypatch.setattr(file, "CHUNK_BYTES", 700)
    path = tmp_path / "aevents-test.raw"
    path.write_bytes(encode(Evt3Encoder(), [EVENTS]))
    return aevents.open(path)


async def by_scope(read: Read, turns: int) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_after, turns, scope.cancel)
            await read()
            tasks.cancel_scope.cancel()


async def by_task(read: Read, turns: int) -> None:
    task = asyncio.ensure_future(read())
    await _after(turns, task.cancel)
    await asyncio.wait([task])


async def by_wait_for(read: Read, turns: int) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(read(), 0.0001 * turns)


async def _after(turns: int, act: Callable[[], object]) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    act()


@pytest.mark.parametrize("cancel", [by_scope, by_task, by_wait_for])
async def test_cancelling_reads_of_a_file_loses_no_frame_and_leaks_nothing(
    stream: Stream[EventBatch],
    cancel: Callable[[Read, int], Awaitable[None]],
    open_files: Callable[[], set[str]],
) -> None:
    frames = stream.window(duration_us=50_000).frames("signed")
    expected = await frames.to_list()
    threads = threading.active_count()
    got: list[Frame] = []
    ended = False
    async with frames.open() as run:

        async def read() -> None:
            nonlocal ended
            try:
                got.append(await anext(run))
            except StopAsyncIteration:
                ended = True

        for attempt in range(2_000):
            await cancel(read, attempt % 23)
            if ended:
                break
    assert ended
    assert_same(got, expected)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert threading.active_count() <= threads + 10  # workers wait for work, they do not pile up


@pytest.mark.parametrize("turns", range(0, 60, 3))
async def test_a_copy_cancelled_at_any_point_is_whole(
    stream: Stream[EventBatch], tmp_path: Path, turns: int, open_files: Callable[[], set[str]]
) -> None:
    copy = tmp_path / "aevents-test-copy.raw"
    task = asyncio.ensure_future(stream.to(aevents.create(copy)))
    await _after(turns, task.cancel)
    await asyncio.wait([task])
    if await anyio.Path(copy).exists():
        kept = await aevents.open(copy, strict=True).collect()
        assert_same_events([kept], [EVENTS[: len(kept)]])


PROGRAM = """
import aevents
async def main():
    scene = aevents.open("synthetic:disk?rate=1e6&duration_us=0")
    await scene.to(aevents.create("copy.raw"))
aevents.run(main)
"""


@pytest.mark.timeout(60)
def test_a_real_interrupt_leaves_a_whole_file(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, stderr=subprocess.PIPE, env=os.environ
    )
    copy = tmp_path / "copy.raw"
    deadline = time.monotonic() + 30
    request.addfinalizer(program.kill)
    while not (copy.exists() and copy.stat().st_size > 100_000):
        assert time.monotonic() < deadline, "nothing was written"
        assert program.poll() is None
        threading.Event().wait(0.01)
    program.send_signal(signal.SIGINT)
    _, error = program.communicate(timeout=30)
    assert program.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in error
    events = aevents.load(copy, strict=True)
    same = next(aevents.open("synthetic:disk?rate=1e6").blocking())
    assert_same_events([events[: len(same)]], [same])
