"""Nothing but the recordings right in the folder has a name there."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.viewer.folder import Folder
from aevents.viewer.shows import RefusedError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    for name in ("b.raw", "a.AEDAT4", "notes.md", ".hidden.raw", "sub/deep.raw", "../outside.raw"):
        (inside / name).write_bytes(b"x")
    (inside / "link.raw").symlink_to(tmp_path / "outside.raw")
    (inside / "folder.raw").mkdir()
    return Folder(inside, {".raw", ".aedat4"})


def test_its_recordings_have_names(folder: Folder) -> None:
    assert folder.names() == ("a.AEDAT4", "b.raw")
    assert folder.path_of("b.raw") == folder.path / "b.raw"


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../outside.raw", "/etc/passwd", "sub/deep.raw", "link.raw", "notes.md",
        ".hidden.raw", "gone.raw", "folder.raw", "b.raw\0", "./b.raw", "b.raw/", "sub/../b.raw",
        "..\\outside.raw", "b.raw\n",
    ],
)  # fmt: skip
def test_nothing_else_has(folder: Folder, name: str) -> None:
    with pytest.raises(RefusedError, match="no such recording"):
        folder.path_of(name)


def test_a_long_name_is_no_crash(folder: Folder) -> None:
    with pytest.raises((RefusedError, OSError)):
        folder.path_of("x" * 10_000 + ".raw")


def test_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        Folder(tmp_path / "gone", {".raw"})
