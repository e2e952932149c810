"""What a process of `workers` runs, here in this one; `test_crew.py` runs it as it is run."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import numpy as np
import pytest

from aevents.junctions.errand import LENGTH, Leases, _receive, _send
from aevents.junctions.segment import Segment

kept: list[object] = []


def doubled(array: object) -> object:
    return np.asarray(array) * 2


def keeping(array: object) -> None:
    kept.append(array)


def in_a_cycle(array: object) -> None:
    cycle = [array]
    cycle.append(cycle)


def failing(array: object) -> None:
    raise KeyError("this")


def failing_oddly(array: object) -> None:
    class Odd(Exception):
        pass

    raise Odd("one")


def run(function: Callable[[object], object]) -> tuple[bool, object, bool]:
    segment = Segment()
    other = Segment(os.dup(segment.descriptor))
    well, places, held = Leases(other).work(function, segment.put(np.arange(5)))
    answer = segment.take(places)
    segment.close()
    other.close()
    return well, answer, bool(held)


def test_the_result_is_put_behind_the_item() -> None:
    well, answer, memory_is_kept = run(doubled)
    assert isinstance(answer, np.ndarray)
    assert (well, answer.tolist(), memory_is_kept) == (True, [0, 2, 4, 6, 8], False)


def test_memory_that_a_function_keeps_is_told() -> None:
    assert run(keeping) == (True, None, True)
    kept.clear()


def test_a_cycle_does_not_keep_memory() -> None:
    assert run(in_a_cycle) == (True, None, False)


def test_an_error_is_sent_with_its_traceback() -> None:
    well, error, memory_is_kept = run(failing)
    assert isinstance(error, KeyError)
    assert (well, memory_is_kept) == (False, False)
    assert "in failing" in error.__notes__[0]


def test_an_error_that_cannot_be_sent_is_told() -> None:
    _, error, _ = run(failing_oddly)
    assert isinstance(error, RuntimeError)
    assert str(error) == "Odd: one"


def test_messages_have_their_length_before_them() -> None:
    pipe = io.BytesIO()
    _send(pipe, [1, "two"])
    assert LENGTH.unpack(pipe.getvalue()[:8]) == (len(pipe.getvalue()) - 8,)
    pipe.seek(0)
    assert _receive(pipe) == [1, "two"]
    with pytest.raises(EOFError):
        _receive(pipe)
