"""What is said while a run goes on, and at its end."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aevents.cli.figures import damage_rows, figures, show
from aevents.cli.kinds import Census
from aevents.cli.main import execute
from aevents.cli.reading import Input, Reading
from aevents.codecs.evt2 import Evt2Encoder
from aevents.testing import encode, example_events
from aevents.types import Damage, EventBatch


def test_a_table_shows_whole_numbers_in_thousands(capsys: pytest.CaptureFixture[str]) -> None:
    show([("events", 1_234_567), ("wrote", "[bold]a.raw")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["events", "1,234,567"], ["wrote", "[bold]a.raw"]]


def test_a_table_goes_to_standard_error_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    show([("events", 3)], stderr=True)
    out, err = capsys.readouterr()
    assert (out, err.split()) == ("", ["events", "3"])


@pytest.fixture
def torn(tmp_path: Path) -> Reading[EventBatch]:
    (tmp_path / "torn.raw").write_bytes(encode(Evt2Encoder(), [example_events(600)])[:-1])
    return Reading(str(tmp_path / "torn.raw"), Input(), EventBatch)


async def test_figures_name_what_came_what_was_odd_and_what_was_written(
    torn: Reading[EventBatch],
) -> None:
    reading = torn
    async with reading.start(reading.stream.window(count=200)) as windows:
        assert [len(window) async for window in windows] == [200, 200, 199]
    rows = figures(reading, "windows", ["a.raw", "-", "b.dat"])
    assert rows[0] == ("events", 599)
    assert rows[2:] == [("windows", 3), ("torn_bytes", 3), ("wrote", "a.raw"), ("wrote", "b.dat")]
    assert rows[1][0] == "speed"


def test_another_census_is_shown_instead(torn: Reading[EventBatch]) -> None:
    written = Census()
    written.feed(example_events(7))
    assert figures(torn, "", [], written)[0] == ("events", 7)


def test_places_of_damage_are_shown_up_to_so_many() -> None:
    places = [Damage("torn_bytes", 12_345, 3), Damage("lost", 7, 1_001, 250), Damage("odd", 9)]
    assert damage_rows(places, 3) == [
        ("damage", "torn_bytes at byte 12,345: 3 bytes"),
        ("damage", "lost at byte 7: 1,001 bytes, 250 events"),
        ("damage", "odd at byte 9"),
    ]
    assert damage_rows(places, 1)[1:] == [("damage", "… and 2 more places")]
    assert damage_rows([], 1) == []


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
    monkeypatch.setattr("aevents.cli.figures.REFRESH_SECONDS", 0.0)
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
