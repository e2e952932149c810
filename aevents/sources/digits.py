"""Sets of handwritten digits, as MNIST is published: downloaded, and read from a folder.

The data: LeCun, Cortes, Burges, yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from aevents._cache import cache_folder
from aevents.codecs.idx import decode_idx
from aevents.errors import DecodeError
from aevents.sources.published import Published
from aevents.types import Bytes

MOST_BYTES = 1 << 30
"""More than any set of digits has."""
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
FILES = {
    "test": (
        Published(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Published(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    "train": (
        Published(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Published(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
    ),
}
"""The files of each part: the images, then the labels."""


Part = Literal["test", "train"]


class Digits(msgspec.Struct, frozen=True, eq=False):
    """A set of digits: `images` of shape `(n, height, width)`, uint8 from 0 (ground) to 255, and
    their `labels`, `(n,)`.
    """

    images: Bytes
    labels: Bytes

    def __len__(self) -> int:
        return len(self.images)


async def download(
    folder: str | PathLike[str] | None = None,
    /,
    *,
    part: Part = "test",
    mirrors: Sequence[str] = MIRRORS,
) -> Path:
    """Download the 10,000 digits of the test set, or the 60,000 to train with, and return their
    folder, for `load`.

    Without a folder they are kept in `$XDG_CACHE_HOME/aevents/mnist`, or `~/.cache/aevents/mnist`.
    What is there already is not downloaded again, and what is there in part is gone on with. The
    `mirrors` are tried in their order; every file is checked. Raises `DownloadError` if none of
    them has a file, and what writing a file raises.
    """
    from aevents.sources.download import fetch  # HTTP takes 40 ms to import, and few need it

    kept = _folder(folder)
    for file in FILES[part]:
        await fetch(file, kept, mirrors)
    return kept


def load(folder: str | PathLike[str] | None = None, /, *, part: Part = "test") -> Digits:
    """Return the digits in a folder: IDX files by the names that they were published under, packed
    by gzip or not, in the folder itself, or below it in `MNIST/raw` or `raw`.

    Without a folder, those that `download` has put where it puts them. It takes some 0.1 s: on an
    event loop, call it in a worker thread. Raises `FileNotFoundError` if they are not there, and
    `DecodeError` for files that are no such digits.
    """
    images, labels = (_read(_folder(folder), file.name) for file in FILES[part])
    if images.ndim != 3 or labels.shape != images.shape[:1] or not len(labels):
        raise DecodeError(
            "idx", f"images of {images.shape} and labels of {labels.shape} are no set"
        )
    if {images.dtype, labels.dtype} != {np.dtype(np.uint8)}:
        raise DecodeError("idx", f"digits are made of uint8, not {images.dtype} and {labels.dtype}")
    return Digits(images.astype(np.uint8, copy=False), labels.astype(np.uint8, copy=False))


def _folder(folder: str | PathLike[str] | None) -> Path:
    return cache_folder() / "mnist" if folder is None else Path(folder)


def _read(folder: Path, name: str) -> npt.NDArray[np.generic]:
    for place in (folder, folder / "MNIST" / "raw", folder / "raw"):
        for path in (place / name, place / name.removesuffix(".gz")):
            if path.is_file():
                return decode_idx(_unpacked(path))
    raise FileNotFoundError(f"{name} is not in {folder}: `await aevents.mnist.download()` gets it")


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as data:
            return data.read(MOST_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DecodeError("idx", f"{path.name} is damaged: {error}") from None
