"""Several outputs: who waits for whom, who is let go, and what ends all."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import anyio
import pytest

from aevents._contracts import Origin
from aevents.cli.outputs import Outputs, lasts
from aevents.errors import DecodeError
from aevents.stream import Stream, stream_of

MANY = 1_000


class Witness:
    """A sink that remembers what happened to it; it fails with `error` at its third item, and takes
    its second only when `gate` is open.
    """

    def __init__(
        self, *, error: Exception | None = None, gate: asyncio.Event | None = None
    ) -> None:
        self.seen: list[object] = []
        self._error = error
        self._gate = gate

    async def write(self, item: object, /) -> None:
        if self._error is not None and len(self.seen) == 2:
            raise self._error
        if self._gate is not None and self.seen:
            await self._gate.wait()
        self.seen.append(item)

    async def aclose(self) -> None:
        self.seen.append("closed")


class Opening(Witness):
    """A sink that opens a gate at its last item."""

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__()
        self._opens = gate

    async def write(self, item: object, /) -> None:
        await super().write(item)
        if len(self.seen) == MANY:
            self._opens.set()


def outputs(*sinks: Witness, realtime: bool = False, names: str = "a.raw -") -> Outputs:
    return Outputs(names.split()[: len(sinks)], sinks, realtime=realtime)


async def test_every_output_gets_every_item_and_is_finished() -> None:
    left, right = Witness(), Witness()
    both = outputs(left, right)
    await both.take(source(1, 2, 3))
    assert left.seen == right.seen == [1, 2, 3, "closed"]
    assert (both.report.delivered, list(both.drops())) == (3, [])


async def test_a_single_output_has_no_queue() -> None:
    sink = Witness()
    one = outputs(sink)
    await one.take(source(1))
    assert sink.seen == [1, "closed"]
    assert one.fullest == (0, 0)


@pytest.fixture
def in_real_time() -> tuple[Outputs, Witness, Witness]:
    """A file and a pipe whose reader waits until the file has all; made outside the loop, as the
    commands do.
    """
    gate = asyncio.Event()
    file, pipe = Opening(gate), Witness(gate=gate)
    return outputs(file, pipe, realtime=True), file, pipe


async def test_in_real_time_what_is_no_file_holds_up_nobody_and_drops_the_oldest(
    in_real_time: tuple[Outputs, Witness, Witness],
) -> None:
    both, file, pipe = in_real_time
    await both.take(source(*range(MANY)))
    assert file.seen == [*range(MANY), "closed"]
    assert pipe.seen[-2:] == [MANY - 1, "closed"]
    [(name, cause, count), *_] = both.drops()
    assert (name, cause) == ("-", "queue_dropped_oldest")
    assert len(pipe.seen) - 1 + count == MANY
    assert both.report.anomalies == {}


async def test_otherwise_all_wait_for_the_slowest() -> None:
    gate = asyncio.Event()
    file, pipe = Witness(), Witness(gate=gate)
    both = outputs(file, pipe)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(both.take, source(*range(MANY)))
        await anyio.wait_all_tasks_blocked()
        waiting, most = both.fullest
        assert waiting == most < len(file.seen) < MANY
        gate.set()
    assert file.seen == pipe.seen == [*range(MANY), "closed"]


def test_a_queue_is_empty_before_the_start() -> None:
    both = outputs(Witness(), Witness(), realtime=True)
    assert both.fullest == (0, 256)
    assert both.report.delivered == 0


async def test_a_reader_that_has_left_is_let_go() -> None:
    file, pipe = Witness(), Witness(error=BrokenPipeError())
    await outputs(file, pipe).take(source(*range(MANY)))
    assert file.seen == [*range(MANY), "closed"]
    assert pipe.seen == [0, 1, "closed"]
    alone = Witness(error=BrokenPipeError())
    await outputs(alone, names="-").take(source(*range(MANY)))
    assert alone.seen == [0, 1, "closed"]


async def test_a_source_that_breaks_is_no_reader() -> None:
    with pytest.raises(BrokenPipeError):
        await outputs(Witness()).take(source(1, BrokenPipeError()))


async def test_an_output_that_fails_ends_all_and_the_others_are_finished() -> None:
    file, full = Witness(), Witness(error=OSError("full"))
    with pytest.raises(OSError, match="full"):
        await outputs(file, full).take(source(*range(MANY)))
    assert file.seen[-1] == full.seen[-1] == "closed"
    assert file.seen[:-1] == list(range(len(file.seen) - 1))


async def test_a_finish_that_fails_is_an_error() -> None:
    class Unfinished(Witness):
        async def aclose(self) -> None:
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await outputs(Unfinished(), Witness()).take(source(1))


@pytest.mark.parametrize("count", [1, 2])
async def test_an_error_of_the_source_comes_behind_all_items(count: int) -> None:
    sinks = [Witness() for _ in range(count)]
    with pytest.raises(DecodeError):
        await outputs(*sinks).take(source(1, 2, DecodeError("foo", "bad")))
    assert [sink.seen for sink in sinks] == [[1, 2, "closed"]] * count


@pytest.mark.parametrize("count", [1, 2])
async def test_an_error_before_the_first_item_leaves_the_outputs_alone(count: int) -> None:
    sinks = [Witness() for _ in range(count)]
    with pytest.raises(DecodeError):
        await outputs(*sinks).take(source(DecodeError("foo", "bad")))
    assert [sink.seen for sink in sinks] == [[]] * count


async def test_a_stream_without_items_finishes_the_outputs() -> None:
    sink = Witness()
    await outputs(sink).take(source())
    assert sink.seen == ["closed"]


def test_what_lasts_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.raw")
    (tmp_path / "there.raw").touch()
    names = ["there.raw", "new.raw", "pipe.raw"]
    paths = [str(tmp_path / name) for name in names]
    lasting = [lasts(name) for name in [*paths, "-", "udp://there:1"]]
    assert lasting == [True, True, False, False, False]


def source(*items: object) -> Stream[object]:
    class Items:
        def __init__(self) -> None:
            self.left = iter(items)

        def __next__(self) -> object:
            item = next(self.left)
            if isinstance(item, Exception):
                raise item
            return item

        def close(self) -> None:
            pass

    return stream_of(Origin("items", blocking=Items))
