"""Formats fit what they go into; a draft takes the file's place at the end, or goes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aevents.cli import delivery
from aevents.cli.delivery import draft, formats_for


def test_a_draft_takes_the_files_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.raw"
    with draft(str(target), force=False) as name:
        Path(name).write_bytes(b"new")
        assert Path(name).parent == tmp_path
        assert Path(name).suffix == ".raw"
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.raw"]
    assert target.read_bytes() == b"new"


def test_a_draft_that_fails_goes_and_leaves_the_file(tmp_path: Path) -> None:
    target = tmp_path / "a.raw"
    target.write_bytes(b"old")

    def stopped_halfway() -> None:
        with draft(str(target), force=True) as name:
            Path(name).write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_halfway()
    assert [path.name for path in tmp_path.iterdir()] == ["a.raw"]
    assert target.read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"old")
    (tmp_path / "link.raw").symlink_to("a.raw")
    with draft(str(tmp_path / "link.raw"), force=True) as name:
        Path(name).write_bytes(b"new")
    assert (tmp_path / "link.raw").is_symlink()
    assert (tmp_path / "a.raw").read_bytes() == b"new"


def test_what_is_no_regular_file_is_written_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.raw")
    for name in ("-", "udp://there:1", str(tmp_path / "pipe.raw")):
        with draft(name, force=False) as same:
            assert same == name


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.raw"

    def overtaken() -> None:
        with draft(str(target), force=False) as name:
            Path(name).write_bytes(b"new")
            target.write_bytes(b"of somebody else")

    with pytest.raises(FileExistsError):
        overtaken()
    assert target.read_bytes() == b"of somebody else"
    assert [path.name for path in tmp_path.iterdir()] == ["a.raw"]


def test_drafts_of_processes_that_are_gone_are_removed_and_no_others(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    others = (f".a.aevents-{os.getppid()}.raw", ".a.aevents-1.raw", ".a.aevents-x.raw", ".b.raw")
    for name in (*others, f".a.aevents-{gone.pid}.raw"):
        (tmp_path / name).touch()
    with draft(str(tmp_path / "a.raw"), force=False) as name:
        Path(name).touch()
    assert {path.name for path in tmp_path.iterdir()} == {*others, "a.raw"}


def test_a_draft_stays_where_its_process_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CAN_ASK", False)
    (tmp_path / ".a.aevents-77.raw").touch()
    with draft(str(tmp_path / "a.raw"), force=False) as name:
        Path(name).touch()
    assert (tmp_path / ".a.aevents-77.raw").exists()


def test_a_process_of_somebody_else_still_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    (tmp_path / ".a.aevents-77.raw").touch()
    with draft(str(tmp_path / "a.raw"), force=False) as name:
        Path(name).touch()
    assert (tmp_path / ".a.aevents-77.raw").exists()


FORMATS = [
    (["a.raw", "-"], None, [None, "evt3"]),
    (["a.raw", "-", "b.dat"], "evt2", ["evt2", "evt2", None]),
    (["a.events", "udp://there:1"], "dat", ["dat", None]),
]


@pytest.mark.parametrize(("names", "format", "found"), FORMATS)
def test_a_format_goes_where_no_suffix_says_otherwise(
    names: list[str], format: str | None, found: list[str | None]
) -> None:
    assert formats_for(names, format) == found


def test_frames_go_into_pictures_and_arrays() -> None:
    assert formats_for(["a.png", "b.npy", "c.mp4"], None, frames=True) == [None, None, None]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_text_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Screen())
    assert formats_for(["-"], "csv") == ["csv"]
    with pytest.raises(ValueError, match="evt3 is no text for a terminal: pipe it on"):
        formats_for(["-"], None)


def test_what_goes_back_to_its_beginning_cannot_go_into_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(ValueError, match=r"npy cannot go into a pipe, for .* choose one of evt3, "):
        formats_for([str(tmp_path / "pipe.npy")], None)
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "w") as pipe:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", pipe)
        with pytest.raises(ValueError, match="aedat4 cannot go into standard output"):
            formats_for(["-"], "aedat4")
        assert formats_for(["-"], "dat") == ["dat"]
    with (tmp_path / "out.npy").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert formats_for(["-"], "npy") == ["npy"]
