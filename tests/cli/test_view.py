"""`aevents view`: an address, a page, and a clean end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents.cli import view
from aevents.cli.main import execute
from aevents.cli.reading import Input
from aevents.cli.view import show_of
from aevents.sources.array import from_array
from aevents.viewer.live import LiveShow
from aevents.viewer.player import RecordingShow
from tests.viewer.pages import page_at, some_events

ROOT = Path(__file__).parents[2]


@contextmanager
def viewing(*arguments: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `aevents view`, and give the process and its address."""
    command = [sys.executable, "-m", "aevents", "view", "--no-browser", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"watch at (\S+), end with Ctrl-C", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


async def test_a_live_source_is_shown_and_recorded_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    source = "synthetic:bar?rate=1e5&duration_us=0&size=64x48"
    running = viewing(source, folder=tmp_path)
    process, url = await anyio.to_thread.run_sync(running.__enter__)
    try:
        async with page_at(url) as page:
            await page.credit()
            await page.drawn()
            await page.say("record", show=0, on=True)
            state = await page.told("state", lambda one: one["recording"] is not None)
            for _ in range(10):
                await page.drawn()
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            code = await anyio.to_thread.run_sync(process.wait)
            assert code == 130
            assert time.monotonic() - began < 5  # 2 s, and Python's own end
        assert process.stderr is not None
        assert process.stderr.read() == ""
    finally:
        await anyio.to_thread.run_sync(running.__exit__, None, None, None)
    read = await aevents.open(tmp_path / state["recording"]).collect()
    assert len(read) > 10_000


def test_what_is_live_and_what_is_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    events = some_events(100)
    aevents.run(lambda: from_array(np.asarray(events), events.sensor).to(str(path)))
    shows = {
        "synthetic:bar?duration_us=0": LiveShow,
        "synthetic:bar": RecordingShow,
        "udp://:3333?size=64x48": LiveShow,
        "-": LiveShow,
        str(path): RecordingShow,
    }
    for number, (name, kind) in enumerate(shows.items()):
        show = show_of(number, name, Input(), tmp_path)
        assert type(show) is kind, name
        assert show.can_record is (kind is LiveShow)
    assert show_of(0, str(path), Input()).name == "a.raw"


@pytest.mark.parametrize("windows", [True, False])
def test_a_browser_is_opened_where_there_are_windows(
    monkeypatch: pytest.MonkeyPatch, windows: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", opened.append)
    for name in view.WINDOWS:
        monkeypatch.delenv(name, raising=False)
    if windows:
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    view._browse("http://127.0.0.1:8000")
    assert opened == ["http://127.0.0.1:8000"] * windows


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["gone.raw"], "gone.raw: No such file or directory"),
        (["nosuch:"], "nosuch: is no source known here"),
        (["synthetic:bar", "--host", "0.0.0.0"], "can be reached by others"),
        (["synthetic:bar", "--folder", "/nowhere"], "/nowhere is no folder"),
        (["synthetic:bar", "--model", "nothing:there"], "no module nothing"),
        (["synthetic:bar", "--certificate", "c.pem"], "give both"),
    ],
)
def test_what_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert execute(["view", "--no-browser", "--port", "0", *arguments]) in (1, 2)
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
