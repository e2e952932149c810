"""Models on a stream, each at its own pace."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from aevents import BLOCK, Frame, History, Model, Result, Sensor, Span, Stream, annotate, infer, tee
from aevents._contracts import Origin
from aevents.errors import WorkerError
from aevents.stream import stream_of
from tests.conftest import ROOT
from tests.junctions.streams import no_tasks_left, settle

PERIOD = 100


def frame_at(number: int, period: int = PERIOD) -> Frame:
    array = np.full((4, 6), number % 256, np.uint8)
    array.flags.writeable = False
    start = number * period
    return Frame(array, Span(start, start + period), Sensor(6, 4), "intensity")


def film(count: int, *, period: int = PERIOD) -> Stream[Frame]:
    """A recording of so many frames: each pixel is the number of its frame."""

    def frames() -> Generator[Frame, None, None]:
        yield from (frame_at(number, period) for number in range(count))

    return stream_of(Origin("film", blocking=frames))


class Camera:
    """A live source that gives what it is told to."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self.closed = 0
        self.stream: Stream[Frame] = stream_of(Origin("camera", waiting=lambda: self, live=True))

    async def see(self, *numbers: int) -> None:
        """Give these frames, and let everybody do what there is to do."""
        for number in numbers:
            self._frames.put_nowait(frame_at(number))
            await rest()

    def end(self) -> None:
        self._frames.put_nowait(None)

    async def __anext__(self) -> Frame:
        frame = await self._frames.get()
        if frame is None:
            raise StopAsyncIteration
        return frame

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.close()


async def rest() -> None:
    """Let tasks go on until they wait, and what runs in threads end."""
    for _ in range(3):
        await settle()
        await anyio.sleep(0.002)


class Gated:
    """A model that says the number of the newest frame, once it is let through."""

    def __init__(self) -> None:
        self.gate = anyio.Semaphore(0)
        self.begun: list[int] = []

    async def run(self, frame: Frame) -> int:
        self.begun.append(int(frame.array[0, 0]))
        await self.gate.acquire()
        return int(frame.array[0, 0])


def number(frame: Frame) -> int:
    return int(frame.array[0, 0])


async def number_later(frame: Frame) -> int:
    await anyio.lowlevel.checkpoint()
    return number(frame)


def numbers(frames: Sequence[Frame]) -> list[int]:
    return [number(frame) for frame in frames]


def fail_from_2_on(frame: Frame) -> int:
    if number(frame) >= 2:
        raise KeyError("this one")
    return number(frame)


def values(results: Iterable[Result[Any]]) -> list[Any]:
    return [result.value for result in results]


class Net:
    """A model that has to begin, and says where."""

    def __init__(self, add: int = 0) -> None:
        self.add = add
        self.begun_in = 0

    def init(self) -> None:
        self.begun_in = os.getpid()

    def run(self, frame: Frame) -> tuple[int, int]:
        return number(frame) + self.add, self.begun_in


class Broken:
    """A model that cannot begin."""

    def init(self) -> None:
        raise OSError("no weights")

    def run(self, frame: Frame) -> int:
        return 0


# -- offline --------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [number, number_later])
async def test_offline_every_slot_is_served_in_order(model: Any) -> None:  # noqa: ANN401
    async with infer(film(20), model, every_us=250) as results:
        got = [result async for result in results]
    assert values(got) == [0, 3, 5, 8, 10, 13, 15, 18]
    assert [one.t_us for one in got] == [100 * value for value in values(got)]
    assert [one.index for one in got] == list(range(8))
    assert [one.frames_used for one in got] == [(value,) for value in values(got)]
    assert {(one.model, one.skipped, one.error) for one in got} == {(model.__name__, 0, None)}
    assert all(0 <= one.age_us <= one.latency_us for one in got)
    assert time.time() - 20 < got[0].wall <= got[-1].wall <= time.time()
    assert no_tasks_left()


async def test_a_history_comes_as_a_tuple_oldest_first() -> None:
    async with infer(film(9), numbers, history=History(3, 2), every_us=200) as results:
        got = await results.to_list()
    assert values(got) == [[0, 2, 4], [2, 4, 6], [4, 6, 8]]
    assert [one.frames_used for one in got] == [(0, 2, 4), (2, 4, 6), (4, 6, 8)]


async def test_several_models_each_have_their_own_settings() -> None:
    models: dict[str, Any] = {
        "each": number,
        "pairs": Model(numbers, history=History(2), every_us=300),
        "late": Model(number_later, every_us=400),
    }
    async with infer(film(7), models) as results:
        got = [(one.model, one.value) async for one in results]
    assert got == [
        ("each", 0), ("late", 0), ("each", 1), ("each", 2), ("each", 3), ("pairs", [2, 3]),
        ("each", 4), ("late", 4), ("each", 5), ("each", 6), ("pairs", [5, 6]),
    ]  # fmt: skip


async def test_it_is_the_same_each_time_however_long_models_take() -> None:
    def slow(frame: Frame) -> int:
        time.sleep(0.002 * (number(frame) % 3))
        return number(frame)

    async def once() -> list[tuple[str, object]]:
        async with infer(film(30), {"a": Model(slow, workers=3), "b": number}) as results:
            return [(one.model, one.value) async for one in results]

    expected = [(name, value) for value in range(30) for name in "ab"]
    assert await once() == await once() == expected


async def test_no_more_frames_are_on_the_way_than_models_need() -> None:
    taken = 0

    def frames() -> Generator[Frame, None, None]:
        nonlocal taken
        for taken in range(10_000):
            yield frame_at(taken)

    stream: Stream[Frame] = stream_of(Origin("film", blocking=frames))
    async with infer(stream, number) as results:
        await anyio.sleep(0.05)
        assert taken < 1_000  # what a step of the driver reads, and what is at work
        assert (await results.first()).value == 0


# -- models ---------------------------------------------------------------------------------------


async def test_an_object_begins_once_and_runs() -> None:
    async with infer(film(3), Net(10)) as results:
        got = [one async for one in results]
    assert values(got) == [(10, os.getpid()), (11, os.getpid()), (12, os.getpid())]
    assert got[0].model == "model"


async def test_an_object_whose_methods_are_coroutine_functions_runs_on_the_loop() -> None:
    class Asking:
        thread = 0

        async def init(self) -> None:
            await anyio.lowlevel.checkpoint()
            self.thread = threading.get_ident()

        async def run(self, frame: Frame) -> bool:
            return self.thread == threading.get_ident()

    async with infer(film(3), Asking()) as results:
        assert values(await results.to_list()) == [True] * 3


async def test_a_process_has_the_model_begin_there() -> None:
    model = Model(Net(10), where="process")
    async with infer(film(3), {"net": model, "beside": number}) as results:
        got = [one async for one in results]
    begun = {one.value[1] for one in got if one.model == "net"}  # type: ignore[index]  # a tuple
    assert len(begun) == 1
    assert os.getpid() not in begun
    found = [one.value[0] for one in got if one.model == "net"]  # type: ignore[index]  # a tuple
    assert found == [10, 11, 12]


async def test_a_history_goes_to_a_process_too() -> None:
    async with infer(film(5), numbers, history=History(2, 2), where="process") as results:
        assert values(await results.to_list()) == [[0, 2], [1, 3], [2, 4]]


@pytest.mark.parametrize(("where", "kind"), [("thread", OSError), ("process", WorkerError)])
async def test_a_model_that_cannot_begin_is_told_when_entering(where: Any, kind: Any) -> None:  # noqa: ANN401
    with pytest.raises(kind, match="no weights"):
        async with infer(film(3), Broken(), where=where):
            pass
    assert no_tasks_left()


@pytest.mark.parametrize("realtime", [False, True])
async def test_an_error_is_a_result(realtime: bool) -> None:
    async with infer(film(5, period=2_000), fail_from_2_on, realtime=realtime) as results:
        async with results.open() as run:
            got = [one async for one in run]
    assert [one.value for one in got] == [
        None if one.frames_used[0] >= 2 else one.frames_used[0] for one in got
    ]
    assert isinstance(got[-1].error, KeyError)
    assert run.report["failed_items"] == sum(one.error is not None for one in got)
    assert realtime or len(got) == 5


@pytest.mark.parametrize("realtime", [False, True])
@pytest.mark.parametrize("where", ["thread", "process"])
async def test_or_ends_all(realtime: bool, where: Any) -> None:  # noqa: ANN401
    got = []
    with pytest.raises(KeyError, match="this one"):
        async with infer(
            film(50, period=2_000), fail_from_2_on, where=where, realtime=realtime, on_error="raise"
        ) as results:
            async for one in results:
                got.append(one)  # noqa: PERF401  # up to the error
    assert all(one.frames_used[0] < 2 for one in got)
    assert no_tasks_left()


async def test_an_error_of_the_stream_comes_behind_the_results() -> None:
    def torn() -> Generator[Frame, None, None]:
        yield frame_at(0)
        yield frame_at(1)
        raise OSError("torn")

    got = []
    with pytest.raises(OSError, match="torn"):
        async with infer(stream_of(Origin("torn", blocking=torn)), number) as results:
            async for one in results:
                got.append(one.value)  # noqa: PERF401  # up to the error
    assert got == [0, 1]


def test_impossible_arguments_are_refused_at_the_call() -> None:
    frames = film(1)
    with pytest.raises(ValueError, match="no model was given"):
        infer(frames, {})
    with pytest.raises(ValueError, match="every_us is at least 1, not 0"):
        infer(frames, number, every_us=0)
    with pytest.raises(ValueError, match="workers is at least 1, not 0"):
        infer(frames, number, workers=0)
    with pytest.raises(ValueError, match="where is 'thread', 'loop' or 'process', not 'moon'"):
        infer(frames, number, where="moon")  # type: ignore[call-overload]  # that is what is tested
    with pytest.raises(ValueError, match="on_error is 'emit' or 'raise', not 'skip'"):
        infer(frames, number, on_error="skip")  # type: ignore[call-overload]  # that is what is tested
    with pytest.raises(TypeError, match="a coroutine function runs where='loop'"):
        infer(frames, number_later, where="thread")
    with pytest.raises(TypeError, match="a coroutine function runs where='loop'"):
        infer(frames, number, where="loop")
    with pytest.raises(TypeError, match="Net is a class: give an object of it"):
        infer(frames, Net)
    with pytest.raises(TypeError, match="a model is a function, or has a method run: 5 is none"):
        infer(frames, 5)  # type: ignore[call-overload]  # that is what is tested
    with pytest.raises(TypeError, match="cannot be pickled cannot go to a process"):
        infer(frames, lambda frame: frame, where="process")


# -- in real time ---------------------------------------------------------------------------------


async def test_who_is_late_sees_the_newest_frame_and_says_what_was_skipped() -> None:
    camera, model = Camera(), Gated()
    async with infer(camera.stream, model, realtime=True) as results, results.open() as run:
        await camera.see(0, 1, 2, 3, 4)
        assert model.begun == [0]
        model.gate.release()
        await rest()
        assert model.begun == [0, 4]
        await camera.see(5)
        model.gate.release()
        model.gate.release()
        camera.end()
        got = [one async for one in run]
    assert [(one.value, one.index, one.skipped) for one in got] == [(0, 0, 0), (4, 4, 3), (5, 5, 0)]
    assert run.report["skipped_slots"] == 3
    assert len(got) + run.report["skipped_slots"] == 6
    assert camera.closed
    assert no_tasks_left()


async def test_a_late_slot_is_served_with_the_newest_frames() -> None:
    camera, model = Camera(), Gated()
    async with infer(camera.stream, model, every_us=300, realtime=True) as results:
        await camera.see(*range(6))  # slots at 0 and 3
        model.gate.release()
        await rest()
        model.gate.release()
        camera.end()
        got = await results.take(2).to_list()
    assert [(one.value, one.index, one.skipped) for one in got] == [(0, 0, 0), (5, 1, 0)]


async def test_the_last_slot_is_served_when_the_stream_has_ended() -> None:
    camera, model = Camera(), Gated()
    async with infer(camera.stream, model, realtime=True) as results:
        await camera.see(0, 1, 2)
        camera.end()
        await rest()
        model.gate.release()
        model.gate.release()
        got = [one.value async for one in results]
    assert got == [0, 2]


async def test_a_slow_model_does_not_hold_up_a_fast_one() -> None:
    camera, slow, fast = Camera(), Gated(), Gated()
    async with infer(camera.stream, {"slow": slow, "fast": fast}, realtime=True) as results:
        for index in range(10):
            await camera.see(index)
            fast.gate.release()
            await rest()
        assert slow.begun == [0]
        assert fast.begun == list(range(10))
        slow.gate.release()
        slow.gate.release()
        camera.end()
        got = [(one.model, one.value, one.skipped) async for one in results]
    assert [one for one in got if one[0] == "slow"] == [("slow", 0, 0), ("slow", 9, 8)]
    assert sum(one[0] == "fast" for one in got) == 10


async def test_several_workers_serve_several_slots_at_a_time() -> None:
    camera, model = Camera(), Gated()
    async with infer(camera.stream, model, workers=2, realtime=True) as results:
        await camera.see(0, 1, 2, 3)
        assert model.begun == [0, 1]
        for _ in range(3):
            model.gate.release()
        camera.end()
        assert [one.value async for one in results] == [0, 1, 3]


async def test_age_and_latency_are_those_of_the_newest_frame() -> None:
    camera, model = Camera(), Gated()
    async with infer(camera.stream, model, realtime=True) as results:
        await camera.see(0, 1)
        await anyio.sleep(0.02)
        model.gate.release()
        await rest()
        await anyio.sleep(0.01)
        model.gate.release()
        camera.end()
        first, second = [one async for one in results]
    assert first.age_us < 20_000 <= first.latency_us
    assert second.age_us >= 20_000
    assert second.latency_us >= second.age_us + 10_000


async def test_a_recording_is_played_as_it_happened() -> None:
    began = time.monotonic()
    async with infer(film(10, period=10_000), number, realtime=True) as results:
        assert [one.value async for one in results][-1] == 9
    assert time.monotonic() - began >= 0.1


async def test_a_reader_that_is_slow_makes_models_skip_and_nothing_grow() -> None:
    camera = Camera()
    async with infer(camera.stream, number_later, realtime=True) as results:
        for index in range(40):
            await camera.see(index)
        camera.end()
        got = [one async for one in results]
    assert len(got) < 30
    assert len(got) + sum(one.skipped for one in got) == 40
    assert got[-1].index == 39


@pytest.mark.parametrize("realtime", [False, True])
async def test_leaving_early_ends_it(realtime: bool) -> None:
    async with infer(film(100_000, period=1_000), number, realtime=realtime) as results:
        async for one in results:
            if one.value == 5:
                break
    assert no_tasks_left()


@pytest.mark.parametrize("realtime", [False, True])
@pytest.mark.parametrize("native", [False, True])
async def test_cancelling_ends_it(realtime: bool, native: bool) -> None:
    camera, model = Camera(), Gated()

    async def watch() -> None:
        async with infer(camera.stream, model, realtime=realtime) as results:
            async for _ in results:
                pass

    if native:
        task = asyncio.ensure_future(watch())
        await camera.see(0, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await camera.see(0, 1)
            tasks.cancel_scope.cancel()
    assert camera.closed
    assert no_tasks_left()


# -- frames beside results ------------------------------------------------------------------------


async def test_frames_come_behind_the_results_of_their_slots() -> None:
    async with infer(film(5), number, every_us=200, with_frames=True) as items:
        got = [
            ("said", one.value) if isinstance(one, Result) else number(one) async for one in items
        ]
    assert got == [("said", 0), 0, 1, ("said", 2), 2, 3, ("said", 4), 4]


async def test_drawing_and_reading_go_on_side_by_side() -> None:
    def draw(frame: Frame, results: Any) -> None:  # noqa: ANN401
        frame.array[0, 1] = results["number"].value

    drawn: list[tuple[int, int]] = []
    said: list[Any] = []

    async def record(stream: Stream[Frame]) -> None:
        async for frame in stream:
            drawn.append((int(frame.array[0, 0]), int(frame.array[0, 1])))  # noqa: PERF401  # type: ignore[call-overload]  # numbers

    async with (
        infer(film(7), number, every_us=300, with_frames=True) as items,
        tee(items, BLOCK, BLOCK) as (one, other),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(record, one.through(annotate(draw)))
        async for item in other:
            if isinstance(item, Result):
                said.append(item.value)  # noqa: PERF401  # beside the other task
    assert drawn == [(0, 0), (1, 0), (2, 0), (3, 3), (4, 3), (5, 3), (6, 6)]
    assert said == [0, 3, 6]


async def test_in_real_time_frames_that_nobody_takes_are_dropped_and_counted() -> None:
    camera = Camera()
    async with (
        infer(
            camera.stream, number_later, every_us=10**9, realtime=True, with_frames=True
        ) as items,
        items.open() as run,
    ):
        await camera.see(*range(30))
        camera.end()
        got = [one async for one in run]
    assert len(got) + run.report["queue_dropped_newest"] == 31
    assert run.report["queue_dropped_newest"] > 0


# -- Ctrl-C ---------------------------------------------------------------------------------------

PROGRAM = """
import sys
import aevents
from tests.junctions.test_infer import Net, film

async def main():
    model = aevents.Model(Net(), where="process", workers=2)
    async with aevents.infer(film(10**6, period=1_000), model, realtime=True) as results:
        async for result in results:
            print(result.value[1], flush=True)

if __name__ == "__main__":
    aevents.run(main)
"""


def test_ctrl_c_leaves_no_shared_memory_and_no_process(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    before = set(Path("/dev/shm").iterdir())
    with subprocess.Popen(
        [sys.executable, program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        workers = {int(process.stdout.readline()) for _ in range(20)}
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert set(Path("/dev/shm").iterdir()) <= before
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert multiprocessing.active_children() == []
