"""What ocycle does, replayed write by write: by `BufferEmit`, and by a stream of chunks.

The truth lies beside the project: what ocycle 0.1.0 emits, the times that its documentation
promises, and the order in which its pools are done. Without it these tests have no cases.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import BLOCK, Chunk, Span, s
from aevents._contracts import Origin
from aevents.compat import BufferEmit
from aevents.stream import Stream, stream_of
from tests.truth import OCYCLE

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

Case = dict[str, Any]


def truth(name: str) -> list[Case]:
    path = OCYCLE / name
    return list(json.loads(path.read_text())["cases"]) if path.is_file() else []


ALL = [case for case in truth("ocycle_emissions.json") if "emissions" in case]
EMISSIONS = [case for case in ALL if "chunks" in case["input"]]
EXPLICIT = [case for case in ALL if "writes" in case["input"]]
TIMES = {case["name"]: case for case in truth("ocycle_t0_documented_vs_actual.json")}
MODES = [case for case in truth("ocycle_modes.json") if "mode" in case]
FAN_OUT = [case for case in truth("ocycle_modes.json") if "emissions_per_size" in case]


def test_no_case_of_the_truth_is_left_out() -> None:
    if not OCYCLE.is_dir():
        pytest.skip("no truth beside the project: set AEVENTS_TRUTH")
    assert (len(EMISSIONS), len(EXPLICIT), len(MODES), len(FAN_OUT)) == (43, 2, 10, 1)
    assert sum(len(case["emissions"]) for case in ALL) == 178
    assert {case["name"] for case in EMISSIONS} == set(TIMES)


@pytest.mark.parametrize("case", EMISSIONS, ids=lambda case: str(case["name"]))
def test_what_ocycle_emits_is_emitted_with_the_times_it_promises(case: Case) -> None:
    given = case["input"]
    kept: list[tuple[Any, float]] = []
    by_write: list[int] = []
    buffer = BufferEmit[Any](
        lambda value, t0: kept.append((plain(value), t0)),
        given["size"],
        clip=given["clip"],
        asbuffer=given["asbuffer"],
        sampler=sampler_of(given["sampler"]),
        tail="drop",
    )
    for index, chunk in enumerate(writes(given)):
        buffer.write(chunk.data, t0=1000 + index / 2)
        by_write += [index] * (len(kept) - len(by_write))
    buffer.close()
    assert_as_many(kept, case)
    for (value, t0), index, emission, promised in zip(
        kept, by_write, case["emissions"], TIMES[case["name"]]["emissions"], strict=False
    ):
        assert value == emission["value"]
        assert index == emission["during_write"]
        assert t0 == promised["t0_first_unit_arrived"]


@pytest.mark.parametrize("case", EXPLICIT, ids=lambda case: str(case["name"]))
def test_with_times_of_the_stream(case: Case) -> None:
    given = case["input"]
    kept: list[tuple[str, float]] = []
    when = {letter: t0 for t0, letters in given["writes"] for letter in letters}
    with BufferEmit[str](
        lambda value, t0: kept.append((value, t0)),
        given["size"],
        clip=given.get("clip", False),
        sampler=given.get("sampler"),
        tail="drop",
    ) as buffer:
        for t0, letters in given["writes"]:
            buffer.write(letters, t0)
    assert [value for value, _ in kept] == [one["value"] for one in case["emissions"]]
    assert [t0 for _, t0 in kept] == [when[value[0]] for value, _ in kept]


@pytest.mark.parametrize("case", EMISSIONS, ids=lambda case: str(case["name"]))
async def test_a_stream_gives_the_same_and_says_what_is_between(case: Case) -> None:
    chunks, tail_units = await chunks_of(case)
    assert_as_many(chunks, case)
    for chunk, emission, promised in zip(
        chunks, case["emissions"], TIMES[case["name"]]["emissions"], strict=False
    ):
        assert plain(chunk.data) == emission["value"]
        first, last = promised["t0_first_unit_arrived"], promised["t_last_unit_arrived"]
        assert chunk.span == Span(round(first * s), round(last * s) + 1)
    if case["error"] is None:
        assert tail_units == len(case["residual_lost_at_close"])
    end = 0
    for chunk in chunks:
        assert chunk.offset == end + chunk.dropped
        end = chunk.offset + len(chunk)
    if case["input"]["sampler"] is None:
        assert [chunk.dropped for chunk in chunks] == [0] * len(chunks)


@pytest.mark.parametrize("case", EMISSIONS, ids=lambda case: str(case["name"]))
async def test_all_survives_but_what_its_sampler_drops_and_the_tail(case: Case) -> None:
    chunks, _ = await chunks_of(case)
    got = {unit for chunk in chunks for unit in range(chunk.offset, chunk.offset + len(chunk))}
    if case["input"]["sampler"] is None and case["error"] is None:
        all_units = sum(case["input"]["chunks"])
        assert got == set(range(all_units - len(case["residual_lost_at_close"])))
    for write, written in zip(writes(case["input"]), case["writes"], strict=False):
        if written["dropped_by_sampler"]:
            assert got.isdisjoint(range(write.offset, write.offset + len(write)))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "case", MODES, ids=lambda case: f"{case['mode']}-{case['npool']}-{case['asbuffer']}"
)
def test_callbacks_are_done_in_the_order_of_its_modes(case: Case, tmp_path: Path) -> None:
    order = case["on_done_order"]
    done: list[tuple[str, bool, str]] = []

    def tell(result: tuple[str, bool, str]) -> None:
        (tmp_path / result[0]).touch()  # so that the next of the order goes on
        done.append(result)

    with BufferEmit[bytes](
        partial(in_turn, tmp_path, order, os.getpid()),
        4,
        mode=case["mode"],
        npool=case["npool"],
        asbuffer=case["asbuffer"],
        on_done=tell,
    ) as buffer:
        for letter in "ABCD":
            buffer.write(4 * letter.encode())
            assert case["mode"] != "serial" or done[-1][0] == 4 * letter
    assert [letters for letters, _, _ in done] == order  # closing has waited for all
    assert [inside for _, inside, _ in done] == 4 * case["ran_in_parent"]
    assert {kind for _, _, kind in done} == {"BytesIO" if case["asbuffer"] else "bytes"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "case",
    [case for case in MODES if case["mode"] != "serial" and not case["asbuffer"]],
    ids=lambda case: f"{case['mode']}-{case['npool']}",
)
async def test_workers_are_done_in_that_order_too(case: Case, tmp_path: Path) -> None:
    stream = aevents.from_chunks([4 * letter.encode() for letter in "ABCD"]).rechunk(4)
    work = partial(chunk_in_turn, tmp_path, case["on_done_order"], os.getpid())
    done: list[str] = []
    async with aevents.workers(
        stream, work, where=case["mode"], count=case["npool"], ordered=False
    ) as results:
        async for letters, inside, _ in results:
            await anyio.to_thread.run_sync((tmp_path / letters).touch)
            done.append(letters)
            assert [inside] == case["ran_in_parent"]
    assert done == case["on_done_order"]


@pytest.mark.parametrize("case", FAN_OUT, ids=["fan-out"])
async def test_one_stream_has_consumers_of_its_three_sizes(case: Case) -> None:
    sizes = [int(size) for size in case["emissions_per_size"]]
    stream = aevents.from_chunks([b"abc"] * 40)
    got: dict[str, list[int]] = {}

    async def consume(branch: Stream[Chunk[bytes]], size: int) -> None:
        chunks = await branch.rechunk(size, tail="drop").to_list()
        got[str(size)] = [len(chunk) for chunk in chunks]

    async with aevents.tee(stream, *[BLOCK] * len(sizes)) as branches:
        async with anyio.create_task_group() as tasks:
            for branch, size in zip(branches, sizes, strict=True):
                tasks.start_soon(consume, branch, size)
    assert got == case["emissions_per_size"]


def test_an_error_of_one_callback_is_raised_and_the_next_values_come_as_there() -> None:
    seen: list[bytes] = []

    def callback(value: bytes, t0: float) -> None:
        seen.append(value)
        if len(seen) == 1:
            raise ValueError("boom")

    with BufferEmit[bytes](callback, 4, clip=True) as buffer:
        buffer.write(b"AB")
        with pytest.raises(ValueError, match="boom"):
            buffer.write(b"CD")
        for two in (b"EF", b"GH", b"IJ", b"KL"):
            buffer.write(two)
    assert seen == [b"ABCD", b"EFGH", b"IJKL"]


def writes(given: Case) -> Generator[Chunk[Any], None, None]:
    """What is written: unit k is the k-th letter or number, write i is at 1000 + i / 2 seconds."""
    first = 0
    for index, count in enumerate(given["chunks"]):
        at = 1_000 * s + index * s // 2
        yield Chunk(units(given["kind"], first, count), Span(at, at + 1), first)
        first += count


async def chunks_of(case: Case) -> tuple[list[Chunk[Any]], int]:
    """The chunks of a stream, and how many units were left at its end."""
    given = case["input"]
    origin: Origin[Chunk[Any]] = Origin("writes", blocking=lambda: writes(given))
    stream: Stream[Chunk[Any]] = stream_of(origin).rechunk(
        given["size"], exact=given["clip"], tail="drop"
    )
    sampler = sampler_of(given["sampler"])
    if sampler:
        stream = stream.sampled(gap_us=partial(gap_us, sampler))
    async with stream.open() as run:
        chunks = [chunk async for chunk in run]
    return chunks, run.report.get("tail_units", 0)


def gap_us(sampler: float | Callable[[], float]) -> int:
    """Of the write that filled a value, nothing more is taken."""
    seconds = sampler() if callable(sampler) else sampler
    return max(1, round(seconds * s))


def sampler_of(told: Any) -> Any:  # noqa: ANN401
    return iter(told["callable_returning"]).__next__ if isinstance(told, dict) else told


def units(kind: str, first: int, count: int) -> Any:  # noqa: ANN401
    numbers = np.arange(first, first + count, dtype=np.float64)
    if kind == "numpy":
        return numbers
    if kind == "numpy2d":
        return np.arange(2 * first, 2 * (first + count), dtype=np.float64).reshape(-1, 2)
    letters = [ALPHABET[k % 62] for k in range(first, first + count)]
    text = "".join(letters)
    return {"bytes": text.encode(), "str": text, "list": letters}[kind]


def plain(value: Any) -> Any:  # noqa: ANN401
    value = value.getvalue() if isinstance(value, io.BytesIO | io.StringIO) else value
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.decode() if isinstance(value, bytes) else value


def assert_as_many(got: list[Any], case: Case) -> None:
    if case["error"] is None:
        assert len(got) == len(case["emissions"])
    else:  # where ocycle fails on arrays, there is more
        assert len(got) > len(case["emissions"])


def in_turn(folder: Path, order: list[str], parent: int, value: Any, t0: float) -> Any:  # noqa: ANN401
    """A callback that is done when those before it in this order are."""
    letters = plain(value)
    before = order[: order.index(letters)]
    while not all((folder / other).exists() for other in before):
        time.sleep(0.001)
    return letters, os.getpid() == parent, type(value).__name__


def chunk_in_turn(folder: Path, order: list[str], parent: int, chunk: Chunk[bytes]) -> Any:  # noqa: ANN401
    return in_turn(folder, order, parent, chunk.data, 0)
