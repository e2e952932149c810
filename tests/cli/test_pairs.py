"""Patterns and folders: which recordings are meant, and what they are to be called."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.cli.pairs import into_folder, pairs_of
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode

RECORDINGS = ["in/a.raw", "in/deep/er/b.raw", "in/deep/c.dat", "in/deep/d.txt"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder of recordings, with other things among them."""
    monkeypatch.chdir(tmp_path)
    for name in RECORDINGS:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(encode(Evt3Encoder(), []))
    Path("in/.hidden.raw").write_bytes(encode(Evt3Encoder(), []))
    Path("in/notes.md").write_text("not a recording")
    Path("in/bag").mkdir()
    Path("in/bag/metadata.yaml").write_text("rosbag2_bagfile_information:\n")


def paired(*sources: str, target: str = "out", format: str = "dat") -> dict[str, str]:
    return {str(source): str(name) for source, name in pairs_of(sources, target, format)}


INTO = [
    (["in/a.raw"], "out.dat", False),
    (["-"], "out.dat", False),
    (["synthetic:disk?a=[b]"], "out.dat", False),
    (["in/bag"], "out.dat", False),  # a folder that is one recording
    (["in/a.raw"], "out/", True),
    (["in/a.raw"], "in", True),
    (["in/a.raw", "in/deep/c.dat"], "out", True),
    (["in"], "out", True),
    (["in/*.raw"], "out", True),
]


@pytest.mark.parametrize(("sources", "target", "into"), INTO)
def test_a_target_is_meant_as_a_folder(sources: list[str], target: str, into: bool) -> None:
    assert into_folder(sources, target) is into


def test_a_file_keeps_its_name_and_gets_the_suffix_of_the_format() -> None:
    assert paired("in/a.raw", "in/deep/c.dat", format="csv") == {
        "in/a.raw": "out/a.csv",
        "in/deep/c.dat": "out/c.csv",
    }


def test_a_folder_is_mirrored_but_for_what_is_no_recording() -> None:
    assert paired("in") == {
        "in/a.raw": "out/a.dat",
        "in/bag": "out/bag.dat",
        "in/deep/c.dat": "out/deep/c.dat",
        "in/deep/d.txt": "out/deep/d.dat",
        "in/deep/er/b.raw": "out/deep/er/b.dat",
    }


def test_the_target_is_not_read() -> None:
    Path("in/out").mkdir()
    Path("in/out/a.dat").write_bytes(encode(Evt3Encoder(), []))
    assert "in/out/a.dat" not in paired("in", target="in/out")


def test_a_pattern_is_mirrored_from_its_fixed_part_on() -> None:
    assert paired("in/*.raw") == {"in/a.raw": "out/a.dat"}
    assert paired("in/**/*.raw") == {
        "in/a.raw": "out/a.dat",
        "in/deep/er/b.raw": "out/deep/er/b.dat",
    }
    assert paired("in/deep/[cd].*")["in/deep/d.txt"] == "out/d.dat"


def test_a_file_with_the_name_of_a_pattern_is_that_file() -> None:
    Path("in/a[1].raw").touch()
    assert paired("in/a[1].raw") == {"in/a[1].raw": "out/a[1].dat"}


def test_a_file_named_twice_is_converted_once() -> None:
    assert paired("in/a.raw", "in/*.raw") == {"in/a.raw": "out/a.dat"}


def test_two_that_would_get_one_name_are_refused() -> None:
    Path("in/a.txt").touch()
    with pytest.raises(ValueError, match=r"in/a.raw and in/a.txt would both become out/a.dat"):
        paired("in/a.raw", "in/a.txt")


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match=r"in/z.raw: No such file"):
        paired("in/a.raw", "in/z.raw")
    with pytest.raises(FileNotFoundError, match="no file is called so"):
        paired("in/*.es")


def test_what_has_no_name_is_refused() -> None:
    for source in ("-", "synthetic:disk"):
        with pytest.raises(ValueError, match="has no name to get in a folder"):
            paired(source)


def test_a_target_that_is_a_file_is_refused() -> None:
    with pytest.raises(NotADirectoryError, match=r"in/a.raw is no folder, and there are several"):
        paired("in/*.raw", target="in/a.raw")
