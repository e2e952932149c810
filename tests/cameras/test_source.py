"""A camera's life: opened and closed in workers, once each, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable

import anyio
import anyio.to_thread
import pytest

from aevents import DeviceLostError, Origin
from aevents.cameras.source import BlockingCamera, CameraSource
from aevents.stream import stream_of


class FakeCamera:
    """A camera that gives what `put` puts; it remembers in which threads it was used."""

    def __init__(self) -> None:
        self.file, self._to = os.pipe()
        os.set_blocking(self.file, False)
        os.set_blocking(self._to, False)
        self.counts = {"oddities": 1}
        self.closed = 0
        self.closed_by: threading.Thread | None = None
        self._items: list[str] = []
        self.lost = False

    def put(self, item: str) -> None:
        self._items.append(item)
        os.write(self._to, b"1")

    def take(self) -> str | None:
        if self._items:
            os.read(self.file, 1)
            return self._items.pop(0)
        if self.lost:
            raise DeviceLostError("gone")
        return None

    def lose(self) -> None:
        self.lost = True
        os.write(self._to, b"1")

    def close(self) -> None:
        self.closed += 1
        self.closed_by = threading.current_thread()
        os.close(self.file)
        os.close(self._to)


class Shop:
    """Opens fake cameras, as slowly as is asked for."""

    def __init__(self, *items: str) -> None:
        self.opened: list[FakeCamera] = []
        self.opening = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self._items = items

    def open(self) -> FakeCamera:
        assert threading.current_thread() is not threading.main_thread()
        self.opening.set()
        assert self.go.wait(10)
        camera = FakeCamera()
        for item in self._items:
            camera.put(item)
        self.opened.append(camera)
        return camera

    async def opens(self) -> None:
        assert await anyio.to_thread.run_sync(self.opening.wait, 10)


def origin(open: Callable[[], FakeCamera]) -> Origin[str]:
    return Origin("usb:", waiting=lambda: CameraSource(open), live=True)


async def test_it_gives_what_comes_in_order() -> None:
    shop = Shop("a", "b")
    async with stream_of(origin(shop.open)).open() as running:
        assert [await anext(running), await anext(running)] == ["a", "b"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.to_thread.run_sync, shop.opened[0].put, "c")
            assert await anext(running) == "c"
        assert running.report["oddities"] == 1
    assert [camera.closed for camera in shop.opened] == [1]
    assert running.report["oddities"] == 1  # also when it is closed


async def test_it_is_opened_only_when_it_is_read() -> None:
    shop = Shop("a")
    async with stream_of(origin(shop.open)).open():
        pass
    assert shop.opened == []


async def test_it_is_closed_in_a_worker() -> None:
    shop = Shop("a")
    async for _ in stream_of(origin(shop.open)):
        break
    await stream_of(origin(shop.open)).take(1).to_list()  # waits for the close before it
    assert shop.opened[0].closed == 1
    assert shop.opened[0].closed_by is not threading.main_thread()


async def test_who_opens_waits_for_a_camera_that_is_being_closed() -> None:
    shop, order = Shop("a"), []
    closing = threading.Event()

    class SlowCamera(FakeCamera):
        def close(self) -> None:
            closing.wait(10)
            order.append("closed")
            super().close()

    def open_slow() -> FakeCamera:
        camera = SlowCamera()
        camera.put("a")
        return camera

    def open_next() -> FakeCamera:
        order.append("opened")
        return shop.open()

    async for _ in stream_of(origin(open_slow)):
        break
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream_of(origin(open_next)).take(1).to_list)
        await anyio.wait_all_tasks_blocked()
        assert order == []
        closing.set()
    assert order == ["closed", "opened"]


@pytest.mark.parametrize("native", [True, False])
async def test_cancelled_while_it_opens_it_is_closed(native: bool) -> None:
    shop = Shop("a")
    shop.go.clear()

    async def read() -> None:
        async for _ in stream_of(origin(shop.open)):
            pass

    if native:
        reading = asyncio.ensure_future(read())
        await shop.opens()
        reading.cancel()
        shop.go.set()
        with pytest.raises(asyncio.CancelledError):
            await reading
    else:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await shop.opens()
            tasks.cancel_scope.cancel()
            shop.go.set()
    gc.collect()
    await stream_of(origin(Shop("b").open)).take(1).to_list()  # waits for the close
    assert [camera.closed for camera in shop.opened] == [1]


async def test_a_cancelled_read_loses_nothing() -> None:
    shop = Shop()
    async with stream_of(origin(shop.open)).open() as running:
        with anyio.move_on_after(0.05):
            await anext(running)
        shop.opened[0].put("a")
        assert await anext(running) == "a"
    assert len(shop.opened) == 1


async def test_a_close_ends_a_read_that_waits() -> None:
    shop = Shop("a")
    source = CameraSource(shop.open)
    assert await source.__anext__() == "a"
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            with pytest.raises(StopAsyncIteration):
                await source.__anext__()

        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        source.close()
    await source.aclose()
    source.close()
    assert shop.opened[0].closed == 1


async def test_an_opening_that_fails_is_tried_again_by_the_next_read() -> None:
    shop, errors = Shop("a"), [OSError("busy")]

    def open() -> FakeCamera:
        if errors:
            raise errors.pop()
        return shop.open()

    source = CameraSource(open)
    with pytest.raises(OSError, match="busy"):
        await source.__anext__()
    assert await source.__anext__() == "a"
    await source.aclose()


async def test_a_lost_camera_raises_after_its_last_items_and_is_closed() -> None:
    shop = Shop("a", "b")
    found = []
    with pytest.raises(DeviceLostError):
        async for item in stream_of(origin(shop.open)):
            found.append(item)
            shop.opened[0].lost = True
    assert found == ["a", "b"]
    await stream_of(origin(Shop("b").open)).take(1).to_list()
    assert shop.opened[0].closed == 1


class Ending(FakeCamera):
    """A camera that comes to an end, as recordings do."""

    def take(self) -> str | None:
        if not self._items:
            raise EOFError
        return super().take()


async def test_what_has_an_end_ends_and_is_closed() -> None:
    camera = Ending()
    for item in ("a", "b"):
        camera.put(item)
    recording = Origin("x", waiting=lambda: CameraSource(lambda: camera))
    assert await stream_of(recording).to_list() == ["a", "b"]
    await stream_of(origin(Shop("c").open)).take(1).to_list()  # waits for the close
    assert camera.closed == 1


def test_without_a_loop_it_ends_too() -> None:
    camera = Ending()
    camera.put("a")
    recording = Origin("x", blocking=lambda: BlockingCamera(lambda: camera))
    assert list(stream_of(recording).blocking()) == ["a"]
    assert camera.closed == 1


def test_without_a_loop_it_is_closed_at_once() -> None:
    shop = Shop("a")

    async def first() -> tuple[CameraSource[str], str]:
        source = CameraSource(shop.open)
        return source, await source.__anext__()

    source, _ = asyncio.run(first())
    source.close()
    assert shop.opened[0].closed == 1


def test_a_blocking_read_waits() -> None:
    camera = FakeCamera()
    reading = BlockingCamera(lambda: camera)
    timer = threading.Timer(0.05, camera.put, ["a"])
    timer.start()
    assert next(reading) == "a"
    timer.join()
    assert reading.counts == {"oddities": 1}
    reading.close()
    reading.close()
    assert camera.closed == 1
    with pytest.raises(StopIteration):
        next(reading)
