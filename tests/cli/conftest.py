"""A small recording, and the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aevents.cli.reading import Input, Reading
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode, example_events
from aevents.types import EventBatch

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from aevents.cli.main import main; raise SystemExit(main())"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

Cli = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def events() -> EventBatch:
    return example_events(600, seed=5)


@pytest.fixture
def recording(tmp_path: Path, events: EventBatch) -> Path:
    path = tmp_path / "in.raw"
    path.write_bytes(encode(Evt3Encoder(), [events]))
    return path


@pytest.fixture
def reading(recording: Path) -> Reading[EventBatch]:
    """A reading of the recording; made outside the loop, as the commands do."""
    return Reading(str(recording), Input(), EventBatch)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command line in the folder `tmp_path`."""

    def popen(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
        settings: dict[str, object] = {
            "cwd": tmp_path,
            "env": ENVIRONMENT,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        return subprocess.Popen([*COMMAND, *arguments], **(settings | options))  # type: ignore[call-overload, no-any-return]  # options of one's own

    return popen


@pytest.fixture
def cli(start: Callable[..., subprocess.Popen[bytes]]) -> Cli:
    """Run the command line to its end."""

    def call(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
        with start(*arguments, stdin=stdin) as process:
            out, err = process.communicate(given)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return call
