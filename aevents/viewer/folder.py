"""The one folder that pages may have files opened from and written into."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from aevents.viewer.shows import RefusedError

MOST_NAMES = 1_000


class Folder:
    """A folder, and the recordings right in it: files of these suffixes, no links. It blocks.

    Raises `NotADirectoryError` if it is none.
    """

    def __init__(self, path: Path, suffixes: Collection[str]) -> None:
        self.path: Path = path.resolve()
        self._suffixes = frozenset(suffixes)
        if not self.path.is_dir():
            raise NotADirectoryError(f"{path} is no folder")

    def names(self) -> tuple[str, ...]:
        """Return the names of the recordings, sorted: the first thousand."""
        found = (one.name for one in self.path.iterdir() if self._is_recording(one))
        return tuple(sorted(found)[:MOST_NAMES])

    def path_of(self, name: str) -> Path:
        """Return the path of the recording of this name. Raises `RefusedError` for whatever is not
        right in the folder.
        """
        plain = name and "\0" not in name and Path(name).name == name
        path = self.path / name if plain else self.path
        if not plain or not self._is_recording(path):
            raise RefusedError("there is no such recording in the folder")
        return path

    def _is_recording(self, path: Path) -> bool:
        shown = path.suffix.lower() in self._suffixes and not path.name.startswith(".")
        return shown and path.is_file() and not path.is_symlink()
