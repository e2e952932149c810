"""Sets of digits: read from a folder in all its layouts, and downloaded."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from aevents.errors import DecodeError, DownloadError
from aevents.sources import digits
from aevents.sources.digits import FILES, download, load
from aevents.sources.published import Published
from tests.convis import arrays
from tests.sources.test_download import mirror
from tests.truth import CONVIS, needs_convis

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype(np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], code: int = 8) -> bytes:
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()
    )


def put(
    folder: Path, images: bytes = idx(IMAGES), labels: bytes = idx(LABELS), *, packed: bool = True
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in zip(FILES["test"], (images, labels), strict=True):
        if packed:
            (folder / file.name).write_bytes(gzip.compress(data))
        else:
            (folder / file.name.removesuffix(".gz")).write_bytes(data)
    return folder


@pytest.mark.parametrize("below", ["", "raw", "MNIST/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_digits_are_found_in_a_folder(below: str, packed: bool, tmp_path: Path) -> None:
    put(tmp_path / below, packed=packed)
    found = load(tmp_path)
    assert len(found) == 7
    assert (found.images == IMAGES).all()
    assert (found.labels == LABELS).all()


def test_the_parts_have_names_of_their_own(tmp_path: Path) -> None:
    put(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.gz is not in .*download"):
        load(tmp_path, part="train")


def test_without_a_folder_they_are_where_downloads_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    put(tmp_path / "aevents" / "mnist")
    assert len(load()) == 7


PACKED = gzip.compress(idx(IMAGES))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (idx(IMAGES), idx(LABELS[:6]), r"images of \(7, 28, 28\) and labels of \(6,\) are no set"),
        (idx(IMAGES[:, 0]), idx(LABELS), "are no set"),
        (idx(IMAGES[:0]), idx(LABELS[:0]), "are no set"),
        (idx(IMAGES.view(np.int8), 9), idx(LABELS), "made of uint8, not int8 and uint8"),
        (b"nothing", idx(LABELS), "no IDX header"),
        (PACKED[:200], idx(LABELS), "is damaged"),
        (PACKED[:200] + bytes(200) + PACKED[400:], idx(LABELS), "is damaged"),
        (PACKED[:-1] + b"\xff", idx(LABELS), "is damaged"),
    ],
)
def test_files_that_are_no_digits_are_refused(
    images: bytes, labels: bytes, message: str, tmp_path: Path
) -> None:
    put(tmp_path, images, labels, packed=False)
    with pytest.raises(DecodeError, match=message):
        load(tmp_path)


async def test_digits_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = gzip.compress(idx(IMAGES))
    file = Published("t10k-images-idx3-ubyte.gz", len(data), hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(digits, "FILES", {"test": (file,)})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with mirror(data) as server:
        folder = await download(mirrors=[server.url])
        assert folder == tmp_path / "aevents" / "mnist"
        assert (folder / file.name).read_bytes() == data
        assert await download(tmp_path / "mine", mirrors=[server.url]) == tmp_path / "mine"


async def test_digits_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    with mirror(b"forged") as server, pytest.raises(DownloadError, match="the checksum is not 8d4"):
        await download(tmp_path, mirrors=[server.url])


def test_the_published_files_are_those_of_mnist() -> None:
    for part, prefix in (("test", "t10k"), ("train", "train")):
        images, labels = FILES[part]
        assert images.name == f"{prefix}-images-idx3-ubyte.gz"
        assert labels.name == f"{prefix}-labels-idx1-ubyte.gz"
        assert {len(images.sha256), len(labels.sha256)} == {64}


@needs_convis
def test_digits_beside_convis_are_read() -> None:
    found, truth = load(CONVIS / "mnist"), arrays("mnist")
    assert (found.images == truth["imgs"]).all()
    assert (found.labels == truth["labels"]).all()
