"""A zip in memory: written at its end, read anywhere, its stored entries without a copy."""

from __future__ import annotations

import io
import zipfile

import pytest

from aevents.codecs.held import FIRST_ROOM, HeldFile, StoredStream


def held(data: bytes) -> HeldFile:
    file = HeldFile()
    file.add(data)
    return file


def stored(content: bytes) -> tuple[bytes, zipfile.ZipInfo]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("first", b"something else")
        archive.writestr("second", content)
    return out.getvalue(), archive.infolist()[1]


def test_what_is_added_is_read_back_from_anywhere() -> None:
    file = held(b"01234")
    file.add(b"56789")
    assert (file.seekable(), file.tell()) == (True, 0)
    assert (file.read(3), file.tell()) == (b"012", 3)
    assert (file.seek(2, io.SEEK_CUR), file.read(2)) == (5, b"56")
    assert (file.seek(-3, io.SEEK_END), file.read()) == (7, b"789")
    assert (file.seek(20), file.read(5)) == (20, b"")
    with pytest.raises(OSError, match="before"):
        file.seek(-1)


def test_the_view_is_all_of_it_and_read_only() -> None:
    view = held(b"0123").view
    assert (bytes(view), view.readonly) == (b"0123", True)


def test_it_grows_past_its_first_room() -> None:
    file = held(b"a" * FIRST_ROOM)
    file.add(b"b")
    file.add(b"c" * (5 * FIRST_ROOM))
    assert bytes(file.view) == b"a" * FIRST_ROOM + b"b" + b"c" * (5 * FIRST_ROOM)


def test_a_stored_entry_is_read_in_pieces() -> None:
    data, info = stored(b"0123456789")
    stream = StoredStream(held(data).view, info)
    assert [bytes(stream.read(4)) for _ in range(4)] == [b"0123", b"4567", b"89", b""]


def test_damage_is_found_at_the_end_of_the_entry() -> None:
    data, info = stored(b"0123456789")
    stream = StoredStream(held(data.replace(b"0123", b"0124")).view, info)
    assert bytes(stream.read(4)) == b"0124"
    with pytest.raises(zipfile.BadZipFile, match="CRC-32"):
        stream.read(6)


def test_an_entry_that_is_cut_off_is_damaged() -> None:
    data, info = stored(b"0123456789")
    stream = StoredStream(held(data[: data.index(b"56789")]).view, info)
    with pytest.raises(zipfile.BadZipFile, match="CRC-32"):
        stream.read(10)
