"""`aevents play`: recordings again and again, at a speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.cli.main import execute
from aevents.types import EventBatch


@pytest.fixture(autouse=True)
def _here(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recording.parent)


def test_it_is_played_and_times_go_on(events: EventBatch) -> None:
    line = ["play", "in.raw", "--speed", "1000", "--repeat", "2", "--to", "a.raw"]
    assert execute(line) == 0
    played = aevents.load("a.raw")
    assert len(played) == 3 * len(events)
    assert list(played[:600]) == list(events)
    length = int(played.t[600] - played.t[0])
    assert length >= events.t[-1] - events.t[0]
    assert (played.t[600:1200] == events.t + length).all()
    assert (played.t[1200:] == events.t + 2 * length).all()


def test_frames_are_played_too() -> None:
    line = ["play", "in.raw", "--speed", "1000", "--window-count", "100", "--frames", "count"]
    assert execute([*line, "--to", "a.npy"]) == 0
    assert np.load("a.npy").shape == (6, 240, 320)


def test_several_are_played_in_the_order_of_time(events: EventBatch) -> None:
    assert execute(["play", "in.raw", "in.raw", "--speed", "1000", "--to", "a.raw"]) == 0
    assert aevents.load("a.raw").t[::2].tolist() == events.t.tolist()


REFUSED = [
    ("in.raw --speed 0 --to a.raw", "speed is above 0, not 0"),
    ("in.raw --speed fast --to a.raw", "unable to convert"),
    ("in.raw --repeat -1 --to a.raw", "--repeat is a number of times, or forever, not '-1'"),
    ("- --repeat 3 --to a.raw", "what comes through a pipe comes once"),
    ("- --repeat forever --to a.raw", "what comes through a pipe comes once"),
    ("udp://127.0.0.1:1 --to a.raw", "a live source has a pace of its own"),
    ("--to a.raw", "no source was given"),
]


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_what_cannot_be_played_is_refused(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["play", *line.split()]) == 2
    assert said in capsys.readouterr().err
    assert not Path("a.raw").exists()
