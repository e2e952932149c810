"""The rules of running: cancelling loses nothing, closing is at once, every read a checkpoint."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from aevents._contracts import Origin
from aevents._driver import HOP_BYTES, HOP_ITEMS, AsyncRun, BlockingRun
from aevents.operators.base import Map
from aevents.operators.select import Take
from aevents.testing import example_events
from aevents.types import Chunk, EventBatch


class Scripted:
    """A waiting source of some numbers, each after an await; it notes how it is closed."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = iter(numbers)
        self.closed = 0
        self.aclosed = 0

    async def __anext__(self) -> int:
        await asyncio.sleep(0)
        for number in self.numbers:
            return number
        raise StopAsyncIteration

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.aclosed += 1


class Pulled:
    """A blocking source of some numbers; it notes how it is closed."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.numbers = iter(numbers)
        self.closed = 0

    def __next__(self) -> int:
        return next(self.numbers)

    def close(self) -> None:
        self.closed += 1


class Twice:
    """Each number two times, and -1 at the end."""

    def feed(self, number: int, /) -> tuple[int, int]:
        return (number, number)

    def flush(self) -> tuple[int]:
        return (-1,)


def waiting(source: Scripted) -> Origin[object]:
    return Origin("scripted", waiting=lambda: source)


def pulled(source: Pulled, *, live: bool = False) -> Origin[object]:
    return Origin("pulled", blocking=lambda: source, live=live)


EITHER = pytest.mark.parametrize(
    "make", [lambda numbers: waiting(Scripted(numbers)), lambda numbers: pulled(Pulled(numbers))],
    ids=["waiting", "blocking"],
)  # fmt: skip
Make = Callable[[Iterable[int]], Origin[object]]
TWICE = [0, 0, 1, 1, 2, 2, -1]


@EITHER
async def test_items_pass_through_the_operators_and_the_end_flushes_them(make: Make) -> None:
    run: AsyncRun[int] = AsyncRun(make(range(3)), [Twice()])
    assert [number async for number in run] == TWICE
    assert run.report["delivered"] == 7


def test_blocking_gives_the_same() -> None:
    source = Pulled(range(3))
    assert list(BlockingRun[int](pulled(source), [Twice()])) == TWICE
    assert source.closed == 1


def test_a_waiting_source_has_no_blocking_form() -> None:
    with pytest.raises(TypeError, match="scripted has no blocking form"):
        BlockingRun[int](waiting(Scripted([])), [])


@EITHER
async def test_more_results_than_a_hop_makes_come_all_the_same(make: Make) -> None:
    class Many:
        def feed(self, number: int, /) -> range:
            return range(3 * HOP_ITEMS)

        def flush(self) -> tuple[()]:
            return ()

    run: AsyncRun[int] = AsyncRun(make([1]), [Many()])
    assert [number async for number in run] == list(range(3 * HOP_ITEMS))


async def test_large_chunks_do_not_pile_up() -> None:
    made = 0

    def chunks() -> Generator[Chunk[bytes], None, None]:
        nonlocal made
        for _ in range(100):
            made += 1
            yield Chunk(bytes(HOP_BYTES // 4))

    origin: Origin[object] = Origin("chunks", blocking=chunks)
    async with AsyncRun[object](origin, []) as run:
        await anext(run)
        assert made <= 4


# -- cancelling ---------------------------------------------------------------------------------


async def cancelled_by_scope(read: Callable[[], Awaitable[None]], turns: int) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_after, turns, scope.cancel)
            await read()
            tasks.cancel_scope.cancel()


async def cancelled_by_task(read: Callable[[], Awaitable[None]], turns: int) -> None:
    task = asyncio.ensure_future(read())
    await _after(turns, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled() and task.exception():
        raise task.exception() or AssertionError


async def cancelled_by_wait_for(read: Callable[[], Awaitable[None]], turns: int) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(read(), 0.00005 * turns)


async def _after(turns: int, act: Callable[[], object]) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    act()


CANCELS = [cancelled_by_scope, cancelled_by_task, cancelled_by_wait_for]


@EITHER
@pytest.mark.parametrize("cancel", CANCELS)
async def test_a_read_cancelled_at_any_point_loses_nothing(
    make: Make, cancel: Callable[[Callable[[], Awaitable[None]], int], Awaitable[None]]
) -> None:
    numbers = list(range(60))
    run: AsyncRun[int] = AsyncRun(make(numbers), [Map[int, int](lambda number: number)])
    got: list[int] = []

    ended = False

    async def read() -> None:
        nonlocal ended
        try:
            got.append(await anext(run))
        except StopAsyncIteration:
            ended = True

    for attempt in range(200):
        await cancel(read, attempt % 8)
        if ended:
            break
    got += [number async for number in run]
    assert got == numbers


async def test_work_left_behind_by_a_native_cancellation_is_waited_for() -> None:
    started, go = threading.Event(), threading.Event()

    def slow(number: int) -> int:
        started.set()
        go.wait(5)
        return number

    run: AsyncRun[int] = AsyncRun(pulled(Pulled([1, 2])), [Map(slow)])
    task = asyncio.ensure_future(anext(run))
    await anyio.to_thread.run_sync(started.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert [number async for number in run] == [1, 2]


async def test_closing_in_order_waits_for_work_left_behind() -> None:
    started, go = threading.Event(), threading.Event()

    def slow(number: int) -> int:
        started.set()
        go.wait(5)
        return number

    source = Pulled([1])
    run: AsyncRun[int] = AsyncRun(pulled(source), [Map(slow)])
    task = asyncio.ensure_future(anext(run))
    await anyio.to_thread.run_sync(started.wait)
    task.cancel()
    await asyncio.wait([task])
    closing = asyncio.ensure_future(run.aclose())
    await asyncio.sleep(0)
    assert source.closed == 0
    go.set()
    await closing
    assert source.closed == 1


async def test_dropping_a_run_at_work_warns_and_closes_it() -> None:
    started, go = threading.Event(), threading.Event()

    def slow(number: int) -> int:
        started.set()
        go.wait(0.2)
        return number

    source = Pulled([1])
    run: AsyncRun[int] = AsyncRun(pulled(source), [Map(slow)])
    task = asyncio.ensure_future(anext(run))
    await anyio.to_thread.run_sync(started.wait)
    task.cancel()
    await asyncio.wait([task])
    del task
    with pytest.warns(ResourceWarning, match="dropped at work"):
        run.__del__()
    assert source.closed == 1


# -- closing ------------------------------------------------------------------------------------


async def test_break_closes_the_source_at_once() -> None:
    source = Scripted(range(9))
    async for _ in AsyncRun[int](waiting(source), []):
        break
    gc.collect()
    assert source.closed == 1


async def test_leaving_the_body_closes_the_source_in_order() -> None:
    source = Scripted(range(9))
    async with AsyncRun[int](waiting(source), []) as run:
        assert await anext(run) == 0
        assert (source.closed, source.aclosed) == (0, 0)
    assert (source.closed, source.aclosed) == (1, 1)
    with pytest.raises(StopAsyncIteration):
        await anext(run)


async def test_leaving_the_body_cancelled_closes_the_source_all_the_same() -> None:
    source = Scripted(range(9))
    with anyio.CancelScope() as scope:
        async with AsyncRun[int](waiting(source), []):
            scope.cancel()
            await anyio.sleep(1)
    assert (source.closed, source.aclosed) == (1, 1)


def test_a_for_loop_left_early_closes_the_source() -> None:
    source = Pulled(range(9))
    for _ in BlockingRun[int](pulled(source), []):
        break
    gc.collect()
    assert source.closed == 1


def test_with_closes_a_blocking_run() -> None:
    source = Pulled(range(9))
    with BlockingRun[int](pulled(source), []) as run:
        assert next(run) == 0
    assert source.closed == 1
    with pytest.raises(StopIteration):
        next(run)


async def test_an_operator_that_is_done_ends_the_run_and_closes_the_source() -> None:
    source = Pulled(range(1_000_000_000))
    run: AsyncRun[int] = AsyncRun(pulled(source), [Take[int](3), Twice()])
    assert [number async for number in run] == TWICE
    assert source.closed == 1


# -- failing ------------------------------------------------------------------------------------


@EITHER
async def test_an_error_comes_after_the_results_before_it(make: Make) -> None:
    def third_is_bad(number: int) -> int:
        if number == 2:
            raise ValueError("two is bad")
        return number

    run: AsyncRun[int] = AsyncRun(make(range(9)), [Map(third_is_bad)])
    assert [await anext(run), await anext(run)] == [0, 1]
    with pytest.raises(ValueError, match="two is bad"):
        await anext(run)
    with pytest.raises((ValueError, StopAsyncIteration)):
        await anext(run)


async def test_an_error_of_a_waiting_source_comes_through() -> None:
    class Broken(Scripted):
        async def __anext__(self) -> int:
            raise OSError("unplugged")

    source = Broken([])
    with pytest.raises(OSError, match="unplugged"):
        await anext(AsyncRun[int](waiting(source), []))
    assert source.closed == 1


def test_an_error_in_a_blocking_run_closes_the_source() -> None:
    source = Pulled([0])
    with pytest.raises(ZeroDivisionError):
        list(BlockingRun[int](pulled(source), [Map[int, float](lambda number: 1 / number)]))
    assert source.closed == 1


# -- manners ------------------------------------------------------------------------------------


async def test_a_second_reader_is_refused() -> None:
    class Never(Scripted):
        async def __anext__(self) -> int:
            await anyio.sleep_forever()
            raise AssertionError

    run: AsyncRun[int] = AsyncRun(waiting(Never([])), [])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.__anext__)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError):
            await anext(run)
        tasks.cancel_scope.cancel()


async def test_ready_items_do_not_starve_the_loop() -> None:
    run: AsyncRun[int] = AsyncRun(pulled(Pulled(range(500))), [])
    turns = 0
    reading = True

    async def count() -> None:
        nonlocal turns
        while reading:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        async for _ in run:
            pass
        reading = False
    assert turns >= 500


async def test_a_live_blocking_source_gives_each_item_at_once_on_a_thread_of_its_own() -> None:
    gate = threading.Semaphore(0)

    def camera() -> Generator[int, None, None]:
        for number in range(3):
            gate.acquire(timeout=5)
            yield number

    run: AsyncRun[int] = AsyncRun(Origin("camera", blocking=camera, live=True), [])
    for number in range(3):
        gate.release()
        assert await anext(run) == number


async def test_what_is_ready_is_taken_before_a_source_is_asked_that_has_nothing() -> None:
    asked: list[object] = []

    class Slow:
        def __init__(self) -> None:
            self.items = iter([b"", b"a", b"", b"b"])

        def __next__(self) -> object:
            asked.append(item := next(self.items))
            return item

        def close(self) -> None:
            pass

    run: AsyncRun[object] = AsyncRun(Origin("slow", blocking=Slow), [Map(lambda item: item)])
    assert await anext(run) == b"a"
    assert asked == [b"", b"a", b""]
    assert [item async for item in run] == [b"b"]


async def test_small_live_chunks_are_decoded_on_the_loop_and_all_else_in_a_worker() -> None:
    class Bytes(Scripted):
        async def __anext__(self) -> bytes:  # type: ignore[override]
            return bytes(await super().__anext__())

    def thread(_data: bytes) -> bool:
        return threading.current_thread() is threading.main_thread()

    def read(*, live: bool) -> AsyncRun[bool]:
        source = Bytes([10, 100_000, 10])
        return AsyncRun(Origin("bytes", waiting=lambda: source, live=live), [Map(thread)])

    assert [on_loop async for on_loop in read(live=True)] == [True, False, True]
    assert [on_loop async for on_loop in read(live=False)] == [False, False, False]


async def test_small_live_batches_are_worked_on_on_the_loop_too() -> None:
    class Batches(Scripted):
        async def __anext__(self) -> EventBatch:  # type: ignore[override]
            return example_events(await super().__anext__())

    def on_loop(_batch: EventBatch) -> bool:
        return threading.current_thread() is threading.main_thread()

    origin = Origin("batches", waiting=lambda: Batches([10, 5_000, 10]), live=True)
    run: AsyncRun[bool] = AsyncRun(origin, [Map(on_loop)])
    assert [where async for where in run] == [True, False, True]
