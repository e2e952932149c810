"""Running a program."""

from __future__ import annotations

import asyncio
import sys

import pytest
import uvloop

import aevents


def test_a_program_runs_on_uvloop_and_returns_its_result() -> None:
    async def main() -> bool:
        return isinstance(asyncio.get_running_loop(), uvloop.Loop)

    assert aevents.run(main) is True


def test_without_uvloop_it_runs_on_the_loop_of_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)

    async def main() -> bool:
        return isinstance(asyncio.get_running_loop(), uvloop.Loop)

    assert aevents.run(main) is False
