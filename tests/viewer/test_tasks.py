"""What goes wrong in one task comes out as itself."""

from __future__ import annotations

import anyio
import pytest

from aevents.viewer.tasks import task_group


async def fail(error: Exception) -> None:
    raise error


async def test_the_body_ends_the_tasks() -> None:
    async with task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)


async def test_a_lone_exception_of_the_body_or_of_a_task_is_itself() -> None:
    with pytest.raises(KeyError):
        async with task_group():
            raise KeyError
    with pytest.raises(OSError, match="full"):
        async with task_group() as tasks:
            tasks.start_soon(fail, OSError("full"))
            await anyio.sleep_forever()


async def test_several_come_together() -> None:
    with pytest.raises(ExceptionGroup):
        async with task_group() as tasks:
            tasks.start_soon(fail, OSError())
            tasks.start_soon(fail, KeyError())
            await anyio.sleep_forever()
