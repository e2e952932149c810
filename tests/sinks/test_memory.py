"""Results that are kept."""

from __future__ import annotations

import anyio
import pytest

from aevents import MemorySink, Result, Span, infer
from tests.junctions.test_infer import film, number


def result_at(t: int, model: str = "net") -> Result[int]:
    return Result(model, 0, Span(t, t + 10), (0,), 0, 0.0, 0, 0, t)


async def test_all_are_kept_and_the_last_of_each_is_at_hand() -> None:
    memory: MemorySink[int] = MemorySink()
    assert memory.last() is None
    assert memory.last("net") is None
    for t, model in ((0, "net"), (100, "other"), (50, "net")):
        await memory.write(result_at(t, model))
    assert [one.t_us for one in memory.kept] == [0, 100, 50]
    last, of_other = memory.last(), memory.last("other")
    assert last is not None
    assert of_other is not None
    assert (last.t_us, of_other.t_us) == (50, 100)
    assert memory.last("nobody") is None


async def test_between_goes_by_the_time_of_the_stream() -> None:
    memory: MemorySink[int] = MemorySink()
    for t, model in ((0, "net"), (100, "other"), (50, "net"), (150, "net")):
        await memory.write(result_at(t, model))
    assert [one.t_us for one in memory.between(0, 150)] == [0, 50, 100]
    assert [one.t_us for one in memory.between(50, 151, "net")] == [50, 150]
    assert [*memory.between(500, 600)] == []


async def test_they_stay_after_the_end() -> None:
    memory: MemorySink[int] = MemorySink()
    async with infer(film(5), number) as results:
        await results.to(memory)
    assert [one.value for one in memory.kept] == [0, 1, 2, 3, 4]
    with pytest.raises(anyio.ClosedResourceError):
        await memory.write(result_at(0))
