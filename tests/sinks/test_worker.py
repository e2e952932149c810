"""What sinks that work in a thread have in common."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest

from aevents.sinks.worker import WorkerSink
from aevents.testing import check_sink


class Shelf(WorkerSink[str]):
    """A sink that keeps what it is given; it stops at "bad", and at "slow" until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.threads: set[int] = set()

    def put(self, item: str, /) -> None:
        self.threads.add(threading.get_ident())
        if item == "bad":
            raise ValueError("bad")
        if item == "slow":
            self.begun.set()
            assert self.go.wait(10)
        self.kept.append(item)

    def end(self) -> None:
        self.kept.append("end")


async def test_a_worker_sink_obeys_the_laws_of_sinks() -> None:
    shelf = Shelf()
    await check_sink(lambda: shelf, ["one", "two", "three"])
    assert shelf.kept == ["one", "two", "three", "end"]


async def test_items_are_put_off_the_event_loop() -> None:
    shelf = Shelf()
    await shelf.write("one")
    await shelf.aclose()
    assert threading.get_ident() not in shelf.threads


async def test_a_write_cancelled_natively_at_work_is_put_once() -> None:
    shelf = Shelf()
    task = asyncio.ensure_future(shelf.write("slow"))
    await anyio.to_thread.run_sync(shelf.begun.wait)
    task.cancel()
    await asyncio.wait([task])
    shelf.go.set()
    await shelf.write("next")
    await shelf.aclose()
    assert shelf.kept == ["slow", "next", "end"]


async def test_after_an_item_that_fails_what_waits_is_left_out_and_the_end_is_written() -> None:
    shelf = Shelf()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shelf.write("bad")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shelf.write("behind")
    with pytest.raises(ValueError, match="bad"):
        await shelf.write("last")
    await shelf.aclose()
    assert shelf.kept == ["end"]


async def test_an_item_that_fails_at_the_close_is_raised_and_the_end_is_written() -> None:
    shelf = Shelf()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shelf.write("bad")
    with pytest.raises(ValueError, match="bad"):
        await shelf.aclose()
    assert shelf.kept == ["end"]
    await shelf.aclose()


async def test_a_close_cancelled_natively_at_work_is_waited_for() -> None:
    shelf = Shelf()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await shelf.write("slow")
    task = asyncio.ensure_future(shelf.aclose())
    await anyio.to_thread.run_sync(shelf.begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    shelf.go.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert shelf.kept == ["slow", "end"]
