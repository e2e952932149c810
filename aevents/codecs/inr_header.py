"""The header of INR files: what numbers follow, how many, from which byte on, and in which order.

See `inr` for the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Literal, NamedTuple, get_args

import numpy as np

from aevents.codecs.base import SNIFF_BYTES, Buffer
from aevents.errors import DecodeError, TruncatedError

MAGIC = b"#INRIMAGE-4#{\n"
END = b"##}"
BLOCK = 256
SHORT = BLOCK - 1
"""The header that convis writes."""
TYPES = {
    "float": {32: "f4", 64: "f8"},
    "unsigned fixed": {8: "u1", 16: "u2", 32: "u4", 64: "u8"},
    "signed fixed": {8: "i1", 16: "i2", 32: "i4", 64: "i8"},
}
BYTE_ORDERS = {"decm": "<", "alpha": "<", "pc": "<", "sun": ">", "sgi": ">"}
MOST_BYTES = 1 << 28
"""No picture is larger: 256 MiB."""
MOST_DIGITS = 16
PROBE_BYTES = 4096
"""So much is looked at to tell where the numbers begin."""
TINY, HUGE = 1e-30, 1e30

Order = Literal["vxyz", "zyxv", "zxyv"]


class Layout(NamedTuple):
    """Where the numbers are: behind `body` bytes, in an order, so many along each dimension."""

    body: int
    order: str
    sizes: Mapping[str, int]
    dtype: np.dtype[np.generic]

    @property
    def pictures(self) -> int:
        """How many pictures there are; 0: as many as the file holds."""
        return self.sizes[self.order[0]]

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of a picture along each dimension, as it is stored."""
        return tuple(self.sizes[name] for name in self.order[1:])

    @property
    def picture_bytes(self) -> int:
        """How many bytes a picture takes."""
        return prod(self.shape) * self.dtype.itemsize


def check_order(order: str | None) -> None:
    """Raise `ValueError` for an order that is none."""
    if order is not None and order not in get_args(Order):
        raise ValueError(f"order is one of {', '.join(get_args(Order))}, not {order!r}")


def axes(order: str) -> tuple[int, int, int]:
    """Return which dimensions of a stored picture are its planes, its rows and its columns."""
    stored = order[1:]
    rows, columns = (at for at, name in enumerate(stored) if name in "xy")
    return 3 - rows - columns, rows, columns


def write_header(sizes: Mapping[str, int], order: str, size: int) -> bytes:
    """Return the header of this size for little-endian float64."""
    lines = {"CPU": "decm", "PIXSIZE": "64 bits", "TYPE": "float"}
    lines |= {f"{name.upper()}DIM": str(length) for name, length in sizes.items()}
    if order == "zyxv":
        lines |= dict.fromkeys(("VX", "VY", "VZ"), "1.0")
    text = MAGIC + "\n".join(f"{key}={lines[key]}" for key in sorted(lines)).encode()
    end = END if size == SHORT else END + b"\n"
    return text.ljust(size - len(end), b"\n") + end


def read_header(data: Buffer, order: Order | None, *, ended: bool) -> Layout | None:
    """Return the layout of the file that begins like this; None: more of it is needed.

    Raises `DecodeError` for a header that makes no sense, `TruncatedError` for one that is cut.
    """
    head = bytes(data[:SNIFF_BYTES])
    if head[: len(MAGIC)] != MAGIC[: len(head)] or (ended and len(head) < len(MAGIC)):
        raise DecodeError("inr", f"the file begins with {head[:14]!r}, which is no INR header")
    body = _end_of(head, ended=ended)
    if body is None:
        if len(data) >= SNIFF_BYTES:
            raise DecodeError("inr", f"the header does not end within {SNIFF_BYTES} bytes")
        if ended:
            raise TruncatedError("inr", "the header is cut", offset=len(data))
        return None
    layout = _layout(_values(head[len(MAGIC) : body]), order, body)
    if body != BLOCK or layout.dtype != np.dtype("<f8"):
        return layout
    if len(data) < BLOCK + min(PROBE_BYTES, layout.picture_bytes) and not ended:
        return None
    short = _layout(_values(head[len(MAGIC) : SHORT]), order, SHORT)
    return short if _likely(data, short) > _likely(data, layout) else layout


def _end_of(head: bytes, *, ended: bool) -> int | None:
    """Return the size of the header, as far as can be told; None: its end has not come."""
    if head[SHORT - len(END) : SHORT] == END:
        if len(head) == SHORT and not ended:
            return None
        return BLOCK if head[SHORT:BLOCK] == b"\n" else SHORT
    for end in range(BLOCK, len(head) + 1, BLOCK):
        if head[end - len(END) - 1 : end] == END + b"\n":
            return end
    return None


def _values(lines: bytes) -> dict[str, str]:
    """Return what the header says, by key."""
    parts = (line.partition(b"=") for line in lines.split(b"\n") if not line.startswith(b"#"))
    return {
        key.decode("latin-1").strip(): value.decode("latin-1").strip() for key, _, value in parts
    }


def _layout(values: Mapping[str, str], order: Order | None, body: int) -> Layout:
    sizes = {name: _number(values.get(f"{name.upper()}DIM", "1"), name) for name in "vxyz"}
    bits = _number(values.get("PIXSIZE", "").removesuffix("bits"), "PIXSIZE")
    kind = TYPES.get(values.get("TYPE", ""), {}).get(bits)
    ends = BYTE_ORDERS.get(values.get("CPU", "decm"))
    if kind is None or ends is None:
        told = {key: values.get(key) for key in ("TYPE", "PIXSIZE", "CPU")}
        raise DecodeError("inr", f"numbers of {told} are not known")
    if order is None:
        by_z = body == SHORT and sizes["v"] == 1
        order = "zyxv" if "VX" in values else "zxyv" if by_z else "vxyz"
    layout = Layout(body, order, sizes, np.dtype(ends + kind))
    if not 0 < layout.picture_bytes <= MOST_BYTES:
        raise DecodeError("inr", f"a picture of {layout.picture_bytes} bytes is none")
    return layout


def _number(text: str, name: str) -> int:
    text = text.strip()
    if not (text.isdecimal() and len(text) < MOST_DIGITS):
        raise DecodeError("inr", f"{name} is a whole number, not {text[:MOST_DIGITS]!r}")
    return int(text)


def _likely(data: Buffer, layout: Layout) -> float:
    """Return which share of the first numbers is as large as brightness is, if they begin here:
    where they do not, their exponents are not.
    """
    most = min(PROBE_BYTES, layout.picture_bytes, len(data) - layout.body) // 8
    size = np.abs(np.frombuffer(data[layout.body : layout.body + 8 * most], "<f8"))
    likely = (size == 0) | ((size > TINY) & (size < HUGE))
    return float(likely.mean()) if most > 0 else 0.0
