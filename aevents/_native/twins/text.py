"""Rows of text in plain Python: the specification of `text_read.c` and `text_write.c`.

A line ends with LF or CRLF and holds one event: numbers in columns of any order, between commas,
semicolons, tabs, or runs of blanks. Lines that are empty or start with `#` or `%` hold nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checks import text_layout
from ..columns import SLACK, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from ..columns import Columns

NUMBER = re.compile(rb"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?")
POLARITY_WORDS = {b"true": 1, b"True": 1, b"false": 0, b"False": 0}
# Beyond that, an exponent moves the point past any digits: no need to know how far.
LARGEST_EXPONENT = 10**16


@dataclass(slots=True)
class TextState:
    """The layout of the rows, and where a reader or writer stands; fields as `ae_text`."""

    columns: int = 4
    t_column: int = 0
    x_column: int = 1
    y_column: int = 2
    p_column: int = 3
    separator: int = ord(",")
    seconds: int = 0
    offset: int = 0
    bad_lines: int = 0
    first_bad: int = -1
    next: int = 0


def text_state(
    columns: Sequence[str] = ("t", "x", "y", "p"),
    *,
    separator: str = ",",
    seconds: bool = False,
    offset: int = 0,
) -> TextState:
    """Return the state of a reader or writer at the first row.

    `columns` names what each column holds; any name but t, x, y, p is skipped by readers.
    A separator " " stands for runs of spaces and tabs. t is microseconds, or decimal `seconds`.
    `offset` is where the rows begin in the text, for `first_bad`.
    """
    return TextState(**text_layout(columns, separator, seconds, offset))


def text_decode(data: Buffer, start: int, state: TextState, out: Columns) -> int:
    """Decode whole lines from byte `start` on into `out`; return where the next one starts.

    Lines that do not parse are skipped and counted in `state.bad_lines`; the byte offset of the
    first is `state.first_bad`.
    """
    view = memoryview(data).cast("B")
    if not 0 <= start <= len(view):
        raise ValueError(f"start {start} is outside the {len(view)} bytes of data")
    out.begin()
    at = start
    *lines, _unfinished = bytes(view[start:]).split(b"\n")
    for line in lines:
        if out.n > out.capacity - SLACK:
            break
        if not _idle(line, state):
            _read(line, state, out, at - start)
        at += len(line) + 1
    state.offset += at - start
    return at


def _idle(line: bytes, state: TextState) -> bool:
    """Whether a line is empty, blanks aside, or a comment."""
    text = line.removesuffix(b"\r").lstrip(_blanks(state))
    return text == b"" or text[:1] in (b"#", b"%")


def _read(line: bytes, state: TextState, out: Columns, consumed: int) -> None:
    """Append the event of this line, or count it as bad."""
    event = _event(line.removesuffix(b"\r"), state)
    if event is None:
        state.first_bad = state.first_bad if state.bad_lines else state.offset + consumed
        state.bad_lines += 1
        return
    n = out.n
    out.t[n], out.x[n], out.y[n], out.p[n] = event
    out.n += 1


def _event(line: bytes, state: TextState) -> tuple[int, int, int, int] | None:
    """Return t, x, y, p, or None if there is anything wrong with the line."""
    fields = _fields(line, state)
    if len(fields) != state.columns or b"\r" in line:
        return None
    t = decimal(fields[state.t_column], 6 if state.seconds else 0)
    x = decimal(fields[state.x_column], 0)
    y = decimal(fields[state.y_column], 0)
    p = polarity(fields[state.p_column])
    if t is None or x is None or y is None or p is None:
        return None
    return (t, x, y, p) if 0 <= x <= 65535 and 0 <= y <= 65535 else None


def _blanks(state: TextState) -> bytes:
    return b" " if state.separator == ord("\t") else b" \t"


def _fields(line: bytes, state: TextState) -> list[bytes]:
    if state.separator == ord(" "):
        return re.split(rb"[ \t]+", line.strip(b" \t"))
    fields = line.split(bytes([state.separator]))
    return [field.strip(_blanks(state)) for field in fields]


def decimal(text: bytes, scale: int) -> int | None:
    """Return a decimal number times 10^scale, exactly, if it is one and fits int64.

    With scale 0 it must be whole; otherwise it is rounded, half away from zero.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = (part or b"" for part in match.groups())
    if not whole + fraction:
        return None
    shift = int(exponent or 0) if len(exponent.lstrip(b"0")) <= 16 else LARGEST_EXPONENT
    shift = -shift if exponent_sign == b"-" else shift
    digits = (whole + fraction).lstrip(b"0")
    zeros = len(whole + fraction) - len(digits)
    size = _rounded(digits, len(whole) - zeros + shift + scale, whole=scale == 0)
    if size is None or size > 2**63 - (sign != b"-"):
        return None
    return -size if sign == b"-" else size


def _rounded(digits: bytes, point: int, *, whole: bool) -> int | None:
    """Return the number of these digits, the first not 0, with the point after `point` of them."""
    if not digits:
        return 0
    if point > 19:
        return None
    kept, rest = digits[: max(point, 0)], digits[max(point, 0) :]
    if whole and rest.strip(b"0"):
        return None
    up = not whole and point >= 0 and rest[:1] >= b"5"
    return int(kept.ljust(point, b"0") or b"0") + up


def polarity(text: bytes) -> int | None:
    """Return 1 for ON, 0 for OFF (0, -1), None for anything else."""
    number = POLARITY_WORDS.get(text, decimal(text, 0))
    return None if number not in (-1, 0, 1) else int(number == 1)


def text_encode(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    p: NDArray[np.bool_] | NDArray[np.uint8],
    state: TextState,
) -> bytes:
    """Return the events as rows of four columns, in the order of the state's column numbers."""
    checked(t, x, y, p)
    places = [state.t_column, state.x_column, state.y_column, state.p_column]
    order = sorted(range(4), key=places.__getitem__)
    time: Callable[[int], str] = _seconds if state.seconds else str
    texts = [
        list(map(time, t.tolist())),
        list(map(str, x.tolist())),
        list(map(str, y.tolist())),
        ["1" if on else "0" for on in p.tolist()],
    ]
    state.next = len(t)
    rows = zip(*(texts[column] for column in order), strict=True)
    return "".join(chr(state.separator).join(row) + "\n" for row in rows).encode()


def _seconds(t: int) -> str:
    sign, size = "-" if t < 0 else "", abs(t)
    return f"{sign}{size // 10**6}.{size % 10**6:06d}"
