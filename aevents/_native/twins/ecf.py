"""ECF in plain Python: the specification of `ecf.c`, whose head tells the layout."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ..checks import check_room, ecf_count
from ..columns import SLACK, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns

COLUMNS_PACKED, ALL_PACKED = 1, 2
MOST_EVENTS = 65_535
SIDE = 2048


class _Damaged(Exception):
    """The chunk ends too early, or a run goes on for too long."""


def ecf_decode(data: Buffer, out: Columns) -> bool:
    """Append the events of a chunk to `out`; return False if it is damaged: then none are.

    Raises `ValueError` where `out` has no room for as many as the chunk says it holds.
    """
    count = ecf_count(data)
    check_room(count, out.capacity - SLACK - out.n)
    view = bytes(memoryview(data))
    if len(view) < 4 or count > MOST_EVENTS:
        return False
    places = slice(out.n, out.n + count)
    try:
        columns = _read(_Bytes(view, 4), count, view[0])
    except _Damaged:
        return False
    out.t[places], out.x[places], out.y[places], out.p[places] = columns
    out.n += count
    return True


class _Bytes:
    """Little-endian words, one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def next(self, size: int) -> int:
        """Return the next word of `size` bytes."""
        word = self._data[self._at : self._at + size]
        if len(word) < size:
            raise _Damaged
        self._at += size
        return int.from_bytes(word, "little")


def _read(
    data: _Bytes, count: int, layout: int
) -> tuple[NDArray[np.int64], list[int], list[int], list[int]]:
    t = np.array(_read_times(data, count), np.uint64).view(np.int64)
    if layout & ALL_PACKED:
        events = _read_packed(data, count, 24)
        return (
            t,
            [e >> 1 & 0x7FF for e in events],
            [e >> 12 for e in events],
            [e & 1 for e in events],
        )
    y = _read_runs(data, count, 2, 5)
    if layout & COLUMNS_PACKED:
        events = _read_packed(data, count, 12)
        return t, [e >> 1 for e in events], y, [e & 1 for e in events]
    x = _read_columns(data, count)
    return t, x, y, _read_runs(data, count, 1, 7)


def _read_times(data: _Bytes, count: int) -> list[int]:
    time, times = data.next(8), list[int]()
    while len(times) < count:
        byte, shift = data.next(1), 0
        while byte >= 0xF0:
            if shift > 60:
                raise _Damaged
            time += (byte & 15) << shift
            byte, shift = data.next(1), shift + 4
        time = time + (byte >> 4) & (1 << 64) - 1
        _extend(times, time, _run(data, byte & 15, 15), count)
    return times


def _read_packed(data: _Bytes, count: int, bits: int) -> list[int]:
    """Return events of 24 or 12 bits, four in three words; the fourth fills what three leave."""
    events: list[int] = []
    size, spare = bits // 6, bits // 3
    low = [(1 << spare * k) - 1 for k in (1, 2)]
    for _ in range(0, count, 4):
        a, b, c = (data.next(size) for _ in range(3))
        second = a & low[0] | b >> 2 * spare << spare
        third = b & low[1] | c >> 3 * spare << 2 * spare
        events += [a >> spare, second, third, c & (1 << bits) - 1]
    return events[:count]


def _read_runs(data: _Bytes, count: int, size: int, bits: int) -> list[int]:
    """Return values with how often they come in their lowest bits."""
    values: list[int] = []
    most = (1 << bits) - 1
    while len(values) < count:
        word = data.next(size)
        _extend(values, word >> bits, _run(data, word & most, most), count)
    return values


def _read_columns(data: _Bytes, count: int) -> list[int]:
    columns: list[int] = []
    while len(columns) < count:
        word = data.next(2)
        columns.append(word >> 5)
        columns += [(word >> 5) + 1 + j for j in range(5) if word >> 4 - j & 1]
    return columns[:count]


def _run(data: _Bytes, run: int, most: int) -> int:
    return data.next(2) if run == most else run


def _extend(values: list[int], value: int, run: int, count: int) -> None:
    if run > count - len(values):
        raise _Damaged
    values += [value] * run


def ecf_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
) -> bytes:
    """Return the events as one chunk, in the shortest layout; no bytes if they do not fit: more
    than 65535, x or y of 2048 or more, times that go back.
    """
    checked(t, x, y, p)
    if len(t) > MOST_EVENTS or (np.concatenate((x, y)) >= SIDE).any() or (t[1:] < t[:-1]).any():
        return b""
    columns, rows, flags = x.tolist(), y.tolist(), p.tolist()
    times = b"".join(_write_times(t.tolist()))
    apart = _write_runs(rows, 2, 5)
    layouts = {
        0: apart + b"".join(_write_columns(columns)) + _write_runs(flags, 1, 7),
        COLUMNS_PACKED: apart
        + _write_packed([a << 1 | c for a, c in zip(columns, flags, strict=True)], 12),
        ALL_PACKED: _write_packed(
            [b << 12 | a << 1 | c for a, b, c in zip(columns, rows, flags, strict=True)], 24
        ),
    }
    layout = min(layouts, key=lambda one: len(layouts[one]))  # of two the first
    return (len(t) << 2 | layout).to_bytes(4, "little") + times + layouts[layout]


def _write_times(times: list[int]) -> Iterator[bytes]:
    last = times[0] if times else 0
    yield (last % (1 << 64)).to_bytes(8, "little")
    for time, run in _runs(times):
        step, last = time - last, time
        long = step if step >= 15 else 0
        while long:
            yield bytes((0xF0 | long & 15,))
            long >>= 4
        yield _counted((step if step < 15 else 0) << 4, run, 1, 15)


def _write_runs(values: list[int], size: int, bits: int) -> bytes:
    most = (1 << bits) - 1
    return b"".join(_counted(value << bits, run, size, most) for value, run in _runs(values))


def _counted(word: int, run: int, size: int, most: int) -> bytes:
    """Return a word with the length of a run in its lowest bits, or after it."""
    longer = run.to_bytes(2, "little") if run >= most else b""
    return (word | min(run, most)).to_bytes(size, "little") + longer


def _write_packed(events: list[int], bits: int) -> bytes:
    data = b""
    size, spare = bits // 6, bits // 3
    low = [(1 << spare * k) - 1 for k in (1, 2)]
    padded = events + [0] * (-len(events) % 4)
    for one, two, three, four in zip(*(iter(padded),) * 4, strict=True):
        words = (
            one << spare | two & low[0],
            two >> spare << 2 * spare | three & low[1],
            three >> 2 * spare << 3 * spare | four,
        )
        data += b"".join(word.to_bytes(size, "little") for word in words)
    return data


def _write_columns(columns: list[int]) -> Iterator[bytes]:
    at = 0
    while at < len(columns):
        first, last, mask = columns[at], columns[at], 0
        at += 1
        while at < len(columns) and last < columns[at] <= first + 5:
            last = columns[at]
            mask |= 1 << 5 - (last - first)
            at += 1
        yield (first << 5 | mask).to_bytes(2, "little")


def _runs(values: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Give each value once, with how often it comes in a row."""
    return ((value, len(list(same))) for value, same in groupby(values))
