"""Processes that call a function."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import numpy.typing as npt
import pytest

from aevents import EventBatch, WorkerError, from_chunks, workers
from aevents.junctions import crew
from aevents.junctions.crew import Crew, pickled
from aevents.testing import example_events
from tests.junctions.streams import Live, batches, no_tasks_left

pytestmark = pytest.mark.timeout(60)

kept: list[object] = []


def twice(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return array * 2


def where_am_i(_item: object) -> int:
    return os.getpid()


def keep(array: npt.NDArray[Any]) -> list[int]:
    kept.append(array)
    return [int(one.sum()) for one in kept]  # type: ignore[attr-defined]  # all are arrays


def lengths_so_far(array: npt.NDArray[Any]) -> list[int]:
    kept[:] = [*kept[-1:], array]
    return [int(one[-1]) for one in kept]  # type: ignore[index]  # all are arrays


def write_into(array: npt.NDArray[Any]) -> None:
    array[0] = 1


def fail(item: object) -> None:
    raise LookupError(item)


class Peculiar(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def fail_peculiarly(item: object) -> None:
    raise Peculiar(1, 2)


def die(item: object) -> object:
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def sleep_long(_item: object) -> None:
    time.sleep(60)


def say(item: object) -> object:
    print("this is no result", flush=True)  # noqa: T201  # the point
    return item


def same(item: object) -> object:
    return item


class Unloadable:
    def __call__(self, item: object) -> object:
        return item

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("not a number",)


async def test_arrays_and_events_go_there_and_back() -> None:
    async with Crew(pickled(twice), 1) as one:
        for size in (1, 10, 1_000_000, 3):
            array = np.arange(size).reshape(-1, 1)
            got = await one.call(array)
            assert isinstance(got, np.ndarray)
            np.testing.assert_array_equal(got, 2 * array)
    events = example_events(5_000)
    async with Crew(pickled(same), 1) as one:
        got = await one.call(events)
        assert isinstance(got, EventBatch)
        assert list(got) == list(events)
        assert (got.span, got.sensor) == (events.span, events.sensor)
        assert not got.t.flags.writeable
        assert await one.call({"text": ["a", None]}) == {"text": ["a", None]}
    assert no_tasks_left()


async def test_each_process_is_another() -> None:
    async with Crew(pickled(where_am_i), 3) as three:
        pids = {await three.call(None) for _ in range(12)}
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(three.call, None)
    assert os.getpid() not in pids
    assert len(pids) <= 3
    for pid in pids:
        assert isinstance(pid, int)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_what_a_function_keeps_does_not_change() -> None:
    async with Crew(pickled(keep), 1) as one:
        for count in range(1, 6):
            got = await one.call(np.full(1_000, count))
            assert got == [1_000 * n for n in range(1, count + 1)]


async def test_a_function_that_keeps_the_last_takes_no_more_memory() -> None:
    async with Crew(pickled(lengths_so_far), 1) as one:
        for n in range(200):
            got = await one.call(np.full(10_000, n))
            assert got == [max(n - 1, 0), n][-min(n + 1, 2) :]
        errand = one._idle[0]
        assert errand is not None
        assert os.fstat(errand._segment.descriptor).st_size < 1_000_000


async def test_what_a_function_gets_is_read_only() -> None:
    async with Crew(pickled(write_into), 1) as one:
        with pytest.raises(ValueError, match="read-only"):
            await one.call(np.zeros(5))


async def test_an_error_comes_back_as_itself_and_says_where_it_was() -> None:
    async with Crew(pickled(fail), 1) as one:
        with pytest.raises(LookupError, match="this") as caught:
            await one.call("this")
        assert "in fail" in caught.value.__notes__[0]
        with pytest.raises(LookupError, match="again"):
            await one.call("again")
    async with Crew(pickled(fail_peculiarly), 1) as one:
        with pytest.raises(RuntimeError, match="Peculiar: 1 and 2"):
            await one.call(1)


async def test_a_process_that_dies_is_an_error_and_is_replaced() -> None:
    async with Crew(pickled(die), 1) as one:
        assert await one.call("live") == "live"
        with pytest.raises(WorkerError, match="has ended, with code -9"):
            await one.call("die")
        assert await one.call("live") == "live"


@pytest.mark.parametrize("native", [True, False])
async def test_a_call_that_is_cancelled_ends_its_process_at_once(native: bool) -> None:
    async with Crew(pickled(sleep_long), 1) as one:
        began = time.monotonic()
        if native:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(one.call(1), 0.1)
        else:
            with anyio.move_on_after(0.1):
                await one.call(1)
    assert time.monotonic() - began < 30
    assert no_tasks_left()


@pytest.mark.parametrize("native", [True, False])
async def test_cancelled_at_any_moment_no_process_is_left(native: bool) -> None:
    async def work() -> None:
        live = Live(batches(500), silent=True)
        async with workers(live.stream, same, where="process", count=2) as results:
            async for _ in results:
                pass

    for seconds in (0, 0.1, 0.3, 0.6):
        async with anyio.create_task_group() as tasks:
            if native:
                task = asyncio.ensure_future(work())
                await asyncio.wait([task], timeout=seconds)
                task.cancel()
                await asyncio.wait([task])
            else:
                tasks.start_soon(work)
                await anyio.sleep(seconds)
                tasks.cancel_scope.cancel()
        assert no_tasks_left()
        with anyio.fail_after(20):  # one that was just being made finds its input ended, and ends
            while await anyio.to_thread.run_sync(children):  # noqa: ASYNC110  # nobody else tells
                await anyio.sleep(0.05)


def children() -> list[str]:
    me = Path(f"/proc/{os.getpid()}/task")
    pids = " ".join(map(read, me.glob("*/children"))).split()
    told = [read(Path(f"/proc/{pid}/cmdline")) for pid in pids]
    return [line for line in told if "aevents.junctions.errand" in line]


def read(path: Path) -> str:
    """What stands there; nothing if the thread or process has ended meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def test_what_it_prints_is_no_result() -> None:
    async with Crew(pickled(say), 1) as one:
        assert await one.call("yes") == "yes"


async def test_an_item_that_cannot_be_pickled_fails_alone() -> None:
    async with Crew(pickled(same), 1) as one:
        with pytest.raises(TypeError, match="pickle"):
            await one.call(threading.Lock())
        assert await one.call(5) == 5


async def test_a_function_that_cannot_be_loaded_is_told_before_the_first_item() -> None:
    live = Live(batches(3))
    with pytest.raises(WorkerError, match="could not begin: ValueError"):
        async with workers(live.stream, Unloadable(), where="process", count=2):
            pass
    assert not live.feeds
    assert no_tasks_left()


async def test_as_workers_of_a_stream() -> None:
    stream = from_chunks([np.full(10, n) for n in range(30)], rate_hz=10).map(lambda c: c.data)
    async with workers(stream, twice, where="process", count=2) as results:
        got = [int(array[0]) async for array in results]
    assert got == [2 * n for n in range(30)]
    assert no_tasks_left()


def test_a_function_that_cannot_go_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickled(lambda item: item)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotImplementedError, match="POSIX"):
        pickled(same)
    monkeypatch.setattr(crew, "preparing", True)
    with pytest.raises(RuntimeError, match="if __name__ == '__main__'"):
        pickled(same)


SCRIPT = """
import aevents

def work(item):
    return item.upper()

async def main():
    stream = aevents.from_chunks(["abc", "def"]).map(lambda chunk: chunk.data)
    async with aevents.workers(stream, work, where="process", count=1) as results:
        print(await results.to_list())

"""


@pytest.mark.parametrize("guarded", [True, False])
def test_a_function_of_a_script(tmp_path: Path, guarded: bool) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + ("if __name__ == '__main__': " * guarded) + "aevents.run(main)\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if guarded:
        assert done.stdout == "['ABC', 'DEF']\n"
    else:
        assert "begin there with `if __name__ == '__main__':`" in done.stderr
        assert done.returncode == 1
