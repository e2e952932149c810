"""What is shown while a command runs."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aevents.cli import progress
from aevents.cli.main import execute
from aevents.codecs.evt2 import Evt2Encoder
from aevents.testing import encode, example_events


def test_a_terminal_sees_how_far_it_is(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    given = encode(Evt2Encoder(), [example_events(100_000)])
    (tmp_path / "in.raw").write_bytes(given)
    for arguments, shape in ((["in.raw"], "%"), (["-"], "Mev/s")):
        terminal, end = os.openpty()
        with (
            (tmp_path / "in.raw").open("rb") as file,
            start("info", *arguments, stdin=file, stderr=end) as process,
        ):
            assert process.wait() == 0
        os.close(end)
        drawn = os.read(terminal, 10_000).decode()
        os.close(terminal)
        assert "Mev/s" in drawn
        assert shape in drawn


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_is_gone_when_the_command_ends(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("aevents.cli.progress.REFRESH_SECONDS", 0.0)
    assert execute(["info", str(recording)]) == 0
    drawn = terminal.getvalue()
    assert "Mev/s" in drawn
    assert drawn.endswith("\x1b[2K")  # the line is cleared
    assert "600" in capsys.readouterr().out


def test_a_pipe_sees_nothing(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    (tmp_path / "in.raw").write_bytes(encode(Evt2Encoder(), [example_events(100_000)]))
    with start("info", "in.raw") as process:
        _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")


async def test_a_log_has_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    drawn = asyncio.Event()
    lags: list[float] = []

    def line(lag: float) -> str:
        lags.append(lag)
        if len(lags) == 2:
            drawn.set()
        return f"line {len(lags)}"

    with progress.Progress(line, lambda: None, log=True):
        await drawn.wait()
    assert capsys.readouterr().err.splitlines()[:2] == ["line 1", "line 2"]
    assert min(lags) >= 0


async def test_between_the_lines_of_a_log_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.0)
    loop = asyncio.get_running_loop()
    with progress.Progress(lambda _lag: "never", lambda: None, log=True) as shown:
        ticked = asyncio.Event()
        loop.call_later(0.001, ticked.set)
        await ticked.wait()
    assert shown is not None
    assert capsys.readouterr().err == ""
