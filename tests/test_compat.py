"""The interfaces of other libraries."""

from __future__ import annotations

import io
import itertools
import os
import threading
import time
from typing import Any, Literal

import pytest

from aevents import TruncatedError
from aevents.compat import BufferEmit

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

Emitted = list[tuple[Any, float]]


def keeping(kept: Emitted) -> Any:  # noqa: ANN401  # a callback
    return lambda value, t0: kept.append((value, t0))


def written(sizes: list[int], size: int, **options: Any) -> Emitted:  # noqa: ANN401
    """Return what is emitted when so many letters each are written every half second."""
    kept: Emitted = []
    letters = itertools.cycle(ALPHABET)
    with BufferEmit[str](keeping(kept), size, tail="drop", **options) as buffer:
        for index, count in enumerate(sizes):
            buffer.write("".join(itertools.islice(letters, count)), t0=1000 + index / 2)
    return kept


def test_values_come_when_so_many_units_are_there() -> None:
    assert written([4] * 6, 6) == [("ABCDEFGH", 1000.0), ("IJKLMNOP", 1001.0), ("QRSTUVWX", 1002.0)]
    assert written([4] * 6, 6, clip=True) == [
        ("ABCDEF", 1000.0),
        ("GHIJKL", 1000.5),
        ("MNOPQR", 1001.5),
        ("STUVWX", 1002.0),
    ]


def test_a_sampler_says_how_long_nothing_is_taken() -> None:
    assert written([4] * 8, 6, sampler=1.0) == [
        ("ABCDEFGH", 1000.0),
        ("MNOPQRST", 1001.5),
        ("YZabcdef", 1003.0),
    ]
    pauses = iter([1.0, 0.0, -3.0, 2.0])
    assert written([4] * 8, 6, clip=True, sampler=lambda: next(pauses)) == [
        ("ABCDEF", 1000.0),
        ("MNOPQR", 1001.5),
        ("UVWXYZ", 1002.5),
    ]


def test_the_tail_is_not_lost() -> None:
    kept: Emitted = []
    with BufferEmit[bytes](keeping(kept), 4, clip=True) as buffer:
        buffer.write(b"abcdef", t0=0)
    assert kept == [(b"abcd", 0.0), (b"ef", 0.0)]
    with pytest.raises(TruncatedError):
        with BufferEmit[bytes](keeping(kept), 4, tail="error") as buffer:
            buffer.write(b"abc")


def test_a_value_may_come_as_a_buffer_that_stays_as_it_is() -> None:
    kept: Emitted = []
    with BufferEmit[Any](keeping(kept), 2, asbuffer=True) as buffer:
        buffer.write(b"ab")
        buffer.write(b"cd")
    first, second = (value for value, _ in kept)
    assert isinstance(first, io.BytesIO)
    assert (first.getvalue(), second.read()) == (b"ab", b"cd")
    with BufferEmit[Any](keeping(kept), 2, asbuffer=True) as buffer:
        buffer.write("xy")
    assert kept[-1][0].getvalue() == "xy"
    with BufferEmit[Any](keeping(kept), 2, asbuffer=True) as buffer:
        buffer.write([1, 2])
    assert kept[-1][0] == [1, 2]


def test_without_a_time_it_is_now() -> None:
    kept: Emitted = []
    before = time.time()
    with BufferEmit[bytes](keeping(kept), 1) as buffer:
        buffer.write(b"a")
    assert before - 1e-5 < kept[0][1] < time.time() + 1e-5


def measure(value: bytes, t0: float) -> tuple[int, int]:
    return len(value), os.getpid()


def fail(value: bytes, t0: float) -> None:
    raise LookupError(value)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", ["serial", "thread", "process"])
def test_results_are_told(mode: Literal["serial", "thread", "process"]) -> None:
    done: list[tuple[int, int]] = []
    with BufferEmit[bytes](
        measure, 4, clip=True, mode=mode, npool=2, on_done=done.append
    ) as buffer:
        buffer.write(bytes(10))
    assert sorted(size for size, _ in done) == [2, 4, 4]
    assert all((pid == os.getpid()) == (mode != "process") for _, pid in done)
    buffer.close()
    with pytest.raises(ValueError, match="closed"):
        buffer.write(b"a")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", ["serial", "thread", "process"])
def test_an_error_of_a_callback_is_raised(mode: Literal["serial", "thread", "process"]) -> None:
    with pytest.raises(LookupError, match="ab"):
        with BufferEmit[bytes](fail, 2, mode=mode, npool=1) as buffer:
            for _ in range(50):
                buffer.write(b"ab")
    with pytest.raises(LookupError, match="ab"):
        with BufferEmit[bytes](
            measure, 2, mode=mode, npool=1, on_done=lambda _: fail(b"ab", 0)
        ) as buffer:
            for _ in range(50):
                buffer.write(b"ab")


def test_no_more_than_so_many_are_on_the_way() -> None:
    at_work, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def wait(value: bytes, t0: float) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        go.wait(5)
        with lock:
            at_work -= 1

    written_so_far = 0

    def write_many(buffer: BufferEmit[bytes]) -> None:
        nonlocal written_so_far
        for _ in range(30):
            buffer.write(b"a")
            written_so_far += 1

    buffer = BufferEmit[bytes](wait, 1, mode="thread", npool=2, max_pending=4)
    writer = threading.Thread(target=write_many, args=[buffer])
    writer.start()
    writer.join(0.3)
    assert writer.is_alive()
    assert written_so_far <= 4 + 3  # one is between input and workers, one in the channel
    go.set()
    writer.join(5)
    buffer.close()
    assert most == 2


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="mode is 'serial', 'thread' or 'process', not 'moon'"):
        BufferEmit(measure, 1, mode="moon")  # type: ignore[arg-type]  # the point
    with pytest.raises(ValueError, match="at least 1 unit, not 0"):
        BufferEmit(measure, 0)
    with pytest.raises(TypeError, match="cannot be pickled"):
        BufferEmit(lambda value, t0: value, 1, mode="process")
