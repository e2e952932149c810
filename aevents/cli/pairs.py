"""Which recordings are meant by patterns and folders, and what each is to be called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aevents import registry
from aevents.errors import UnknownFormatError
from aevents.sources.recording import is_recording

Pair = tuple[Path, Path]
"""A recording, and where it goes."""


def into_folder(sources: Sequence[str], target: str) -> bool:
    """Say whether the target is meant as a folder: there, by its name, or by what the sources
    are.
    """
    if len(sources) > 1 or target.endswith(("/", os.sep)):
        return True
    (source,) = sources
    return Path(target).is_dir() or _is_pattern(source) or _is_folder(Path(source))


def pairs_of(sources: Sequence[str], target: str, format: str) -> list[Pair]:
    """Return each recording and the name that it gets in the target folder; sub-folders of a
    folder, and those below the fixed part of a pattern, stay.

    Raises `FileNotFoundError` for what is not there, and `ValueError` where two would get one name.
    """
    folder = Path(target)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{target} is no folder, and there are several sources")
    suffix = registry.writer_of("", format).suffixes[0]
    pairs = [
        (path, folder / name.with_suffix(suffix))
        for source in sources
        for path, name in _found(source, folder)
    ]
    _refuse_same([*dict.fromkeys(pairs)])
    return [*dict.fromkeys(pairs)]


def _found(source: str, target: Path) -> Iterator[Pair]:
    """Yield the recordings that a source stands for, and their names below it."""
    path = Path(source)
    if source == "-" or registry.split_url(source)[0]:
        raise ValueError(f"{source} has no name to get in a folder: name the file to write")
    if _is_folder(path):
        yield from ((one, one.relative_to(path)) for one in _within(path, target))
    elif _is_pattern(source):
        yield from _matching(source, target)
    elif path.exists():
        yield path, Path(path.name)
    else:
        raise FileNotFoundError(f"{source}: No such file or directory")


def _matching(pattern: str, target: Path) -> Iterator[Pair]:
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207  # leaves hidden files, as shells do
    found = [Path(name) for name in sorted(names)]
    parts = Path(pattern).parts
    fixed = Path(*parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))])
    recordings = [path for path in found if not _is_folder(path)]
    if not recordings:
        raise FileNotFoundError(f"{pattern}: no file is called so")
    yield from ((path, path.relative_to(fixed)) for path in recordings)


def _within(folder: Path, target: Path) -> Iterator[Path]:
    """Yield the recordings in a folder and below, but for hidden ones and those in the target."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.resolve() == target.resolve():
            continue
        if _is_folder(path):
            yield from _within(path, target)
        elif _is_known(path):
            yield path


def _is_known(path: Path) -> bool:
    try:
        return registry.codec_of(str(path)) is not None
    except UnknownFormatError:
        return False


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not is_recording(path)


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not Path(name).exists() and not registry.split_url(name)[0]


def _refuse_same(pairs: Sequence[Pair]) -> None:
    by_target: dict[Path, Path] = {}
    for source, target in pairs:
        other = by_target.setdefault(target, source)
        if other != source:
            raise ValueError(
                f"{other} and {source} would both become {target}: convert one by itself"
            )
