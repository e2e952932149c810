"""Recordings have names of their own, and are whole however they end."""

from __future__ import annotations

import os
import re
from pathlib import Path

import anyio

import aevents
from aevents.viewer.recorder import Recorder
from tests.viewer.pages import some_events


async def test_names_are_plain_and_free(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, aevents.create)
    names = []
    for what in ("../../etc/passwd", "usb:prophesee/00050001", "🎥", "x" * 500):
        name = await recorder.begin(what)
        assert re.fullmatch(r"[\w-]{1,61}\d{8}-\d{6}(-\d+)?\.aedat4", name, re.ASCII)
        await anyio.Path(tmp_path / name).touch()
        names.append(name)
    names.append(await recorder.begin("🎥"))
    assert len({*names}) == 5


async def test_what_waits_is_written_when_it_is_cancelled(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, aevents.create)
    name = await recorder.begin("a")
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            await recorder.take(some_events(100, start=number * 100, stop=number * 100 + 100))
        tasks.start_soon(recorder.write, name)
        await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
    assert len(await aevents.open(tmp_path / name).collect()) == 2_000
    await recorder.take(some_events(1))  # nothing is recorded any more: it waits for nobody


async def test_nothing_came(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, aevents.create)
    name = await recorder.begin("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.write, name)
        await anyio.sleep(0.01)
        recorder.end()
    assert os.listdir(tmp_path) in ([], [name])  # noqa: PTH208  # as quick as it is
