"""FlatBuffers: tables and vectors, and what is outside a buffer."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
import pytest

from aevents.codecs.flatbuffer import Table, identifier, root, tables, unprefixed, vector_head

# A table of three fields: u16 7, one that is left out, and the string "ab".
SMALL = b"".join(
    (
        b"\x12\x00\x00\x00ABCD",  # the root is at byte 18
        b"\x0a\x00\x0a\x00\x04\x00\x00\x00\x06\x00",  # vtable at 8: 10 bytes, a table of 10, places
        b"\x0a\x00\x00\x00\x07\x00\x04\x00\x00\x00",  # table at 18: vtable 10 before, 7, string +4
        b"\x02\x00\x00\x00ab\x00\x00",
    )
)
PAIR = np.dtype([("back", "<i4"), ("t", "<i8"), ("level", "<i4")])


def structs(letters: str, elements: npt.NDArray[np.void]) -> bytes:
    return vector_head(letters, len(elements), elements.nbytes) + elements.tobytes()


def test_a_table_is_read_field_by_field() -> None:
    data = memoryview(SMALL)
    table = root(data)
    assert identifier(data) == "ABCD"
    assert table.number(0, "H") == 7
    assert table.number(1, "q") == 0
    assert table.number(3, "q") == 0
    assert table.bytes(2) == b"ab"
    assert table.bytes(1) == b""
    assert list(table.tables(1, ("<i8",))) == []


def test_a_prefix_says_how_long_a_buffer_is() -> None:
    assert bytes(unprefixed(b"\x02\x00\x00\x00abc")) == b"ab"
    with pytest.raises(ValueError, match="a buffer of 4 bytes where 3 are left"):
        unprefixed(b"\x04\x00\x00\x00abc")
    with pytest.raises(ValueError, match="a reference to byte 0 of a buffer of 2"):
        unprefixed(b"\x04\x00")


@pytest.mark.parametrize(
    ("place", "bent", "message"),
    [
        (0, b"\xff\xff\xff\xff", "a reference to byte 4294967295 of a buffer of 36"),
        (18, b"\xff\xff\xff\x7f", "a reference to byte -2147483629 of"),
        (18, b"\x00\x00\x00\x80", "a reference to byte 2147483666 of"),
        (8, b"\xff\xff", "a reference to byte 12 of"),
        (24, b"\xff\x00\x00\x00", "a reference to byte 279 of"),
        (28, b"\xff\xff\xff\xff", "a vector of 4294967295 elements is longer than the buffer"),
    ],
)
def test_places_outside_the_buffer_are_refused(place: int, bent: bytes, message: str) -> None:
    data = SMALL[:place] + bent + SMALL[place + len(bent) :]
    with pytest.raises(ValueError, match=message):
        root(memoryview(data)).bytes(2)


def test_structs_are_written_at_places_of_8_bytes() -> None:
    elements = np.array([1, 2], "<i8").view([("t", "<i8")])
    assert structs("WXYZ", elements) == (
        b"\x2c\x00\x00\x00\x10\x00\x00\x00WXYZ"
        b"\x00\x00\x06\x00\x08\x00\x04\x00\x06\x00\x00\x00\x04\x00\x00\x00\x02\x00\x00\x00"
        b"\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5_000])
def test_tables_are_written_and_read_back(count: int) -> None:
    rows = np.zeros(count, PAIR)
    rows["t"], rows["level"] = np.arange(count) - 1, np.arange(count)
    data = tables("WXYZ", (4, 12), rows)
    assert len(data) == 4 + int.from_bytes(data[:4], "little")
    found = list(root(unprefixed(data)).tables(0, ("<i8", "<i4", "<f4")))
    assert sum(len(part[0]) for part in found) == count
    assert [value for part in found for value in part[0].tolist()] == list(range(-1, count - 1))
    assert [value for part in found for value in part[1].tolist()] == list(range(count))
    assert not any(part[2].any() for part in found)


def test_times_in_tables_stand_at_places_of_8_bytes() -> None:
    rows = np.zeros(3, PAIR)
    rows["t"] = 0x1122334455667788
    data = tables("WXYZ", (4, 12), rows)
    assert data.index(struct.pack("<q", 0x1122334455667788)) % 8 == 0


def test_a_vector_of_tables_that_could_not_all_be_there_is_refused() -> None:
    rows = np.zeros(3, PAIR)
    data = bytearray(tables("WXYZ", (4, 12), rows))
    data[28:32] = struct.pack("<I", 12)
    with pytest.raises(ValueError, match="a vector of 12 elements"):
        next(root(unprefixed(bytes(data))).tables(0, ("<i8",)))


def test_tables_outside_the_buffer_are_refused() -> None:
    data = bytearray(tables("WXYZ", (4, 12), np.zeros(3, PAIR)))
    data[32:36] = b"\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="a reference from"):
        next(root(unprefixed(bytes(data))).tables(0, ("<i8",)))


def test_damaged_buffers_give_values_or_are_refused() -> None:
    random = np.random.default_rng(0)
    data = tables("WXYZ", (4, 12), np.zeros(9, PAIR))
    refused = 0
    for _ in range(3_000):
        bent = bytearray(data)
        for place in random.integers(0, len(bent), 3):
            bent[place] = random.integers(0, 256)
        try:
            found = list(root(unprefixed(bytes(bent))).tables(0, ("<i8", "<i4", "<f4")))
        except ValueError:
            refused += 1
            continue
        assert all(len(part) == 3 for part in found)
    assert refused > 300


def test_a_vtable_of_no_size_has_no_fields() -> None:
    assert Table(memoryview(b"\x04\x00\x00\x00\x00\x00\x00\x00"), 4).number(0, "i") == 0
