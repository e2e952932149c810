"""A function as a sink."""

from __future__ import annotations

import anyio
import pytest

from aevents import CallbackSink, Result, infer
from tests.junctions.test_infer import film, number


async def test_a_function_is_called_with_each_item() -> None:
    seen: list[object] = []
    async with infer(film(4), number) as results:
        await results.to(CallbackSink(lambda result: seen.append(result.value)))
    assert seen == [0, 1, 2, 3]


async def test_a_coroutine_function_is_awaited() -> None:
    seen: list[object] = []

    async def see(result: Result[int]) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(result.value)

    async with infer(film(4), number) as results:
        await results.to(CallbackSink(see))
    assert seen == [0, 1, 2, 3]


async def test_an_error_ends_the_stream() -> None:
    def fail(result: object) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        async with infer(film(4), number) as results:
            await results.to(CallbackSink(fail))


async def test_after_the_close_it_is_called_no_more() -> None:
    seen: list[int] = []
    sink = CallbackSink(seen.append)
    await sink.aclose()
    await sink.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await sink.write(1)
    assert seen == []
