"""What kernels ask of their arguments, in C or not: checked before any memory is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Buffer

Counters = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
Coordinates = NDArray[np.uint16]
Polarities = NDArray[np.bool_] | NDArray[np.uint8]
Events = tuple[NDArray[np.int64], Coordinates, Coordinates, Polarities]
Stamps = NDArray[np.uint64]

MOST_COUNTERS = 2**31  # indices are 32 bits wide in C
LONGEST_SIDE = 65535
COUNTER_TYPES = ("uint8", "uint16", "uint32")
FRAME_TYPES = ("float32", "int32")
DVS, ATIS, COLOUR = PIXEL_KINDS = 1, 2, 4  # of Event Stream files
MOST_COLUMNS = 64
MOST_PIECES = 64  # as AE_AHEAD_PIECES in ahead.h
MOST_RUNS = 64  # as AE_MERGE_RUNS in kernels.h
LONGEST_TIME = 2**60  # of which a filter can tell times that are near from those that never were
BURST_TYPE = np.dtype([("last", "u8"), ("p", "u4"), ("followed", "u4")])  # as ae_burst in kernels.h
SEPARATORS = ",;\t "
LARGEST_SURFACE = 201
NEVER = -(2**63)  # the time of a pixel that has had no event


def check_pieces(pieces: Sequence[memoryview]) -> None:
    """Raise if there are more pieces than a kernel keeps."""
    if len(pieces) > MOST_PIECES:
        raise ValueError(f"{len(pieces)} pieces are more than {MOST_PIECES}")


class _Next(Protocol):
    next: int


def check_table(counts: Counters, spill: NDArray[np.uint32] | None, counters: int) -> None:
    """Raise unless these tables have that many counters and the extra slot."""
    if str(counts.dtype) not in COUNTER_TYPES or counts.shape != (counters + 1,):
        raise ValueError(
            f"counts must be {counters} + 1 of {', '.join(COUNTER_TYPES)}, "
            f"not {counts.dtype} {counts.shape}"
        )
    if spill is None and counts.dtype != np.uint32:
        raise ValueError(f"counters of {counts.dtype} need a spill")
    if spill is not None and (spill.dtype != np.uint32 or spill.shape != counts.shape):
        raise ValueError(f"spill must be uint32 {counts.shape}, not {spill.dtype} {spill.shape}")
    if not counts.flags.c_contiguous or not (spill is None or spill.flags.c_contiguous):
        raise ValueError("counts and spill must be contiguous")


def check_sensor(width: int, height: int, planes: int) -> None:
    """Raise unless a frame of this size can be counted."""
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and planes in (1, 2)):
        raise ValueError(f"no frame is {width}x{height} in {planes} planes")
    if planes * width * height >= MOST_COUNTERS:
        raise ValueError(f"{planes} planes of {width}x{height} are too many counters: 2^31 or more")


def check_events(x: Coordinates, y: Coordinates, p: Polarities) -> None:
    """Raise unless these are columns of one length."""
    types = [str(column.dtype) for column in (x, y, p)]
    if types[:2] != ["uint16", "uint16"] or types[2] not in ("bool", "uint8"):
        raise TypeError(f"x, y, p must be uint16, uint16, bool, not {', '.join(types)}")
    if not x.shape == y.shape == p.shape == (len(x),):
        raise ValueError("x, y, p must be of one length")


def check_frame(
    counts: Counters,
    spill: NDArray[np.uint32] | None,
    out: NDArray[np.float32] | NDArray[np.int32],
    signed: bool,
) -> None:
    """Raise unless the table can be read out into `out`."""
    check_table(counts, spill, out.size * (2 if signed else 1))
    if str(out.dtype) not in FRAME_TYPES or not out.flags.c_contiguous:
        raise ValueError(f"out must be contiguous {' or '.join(FRAME_TYPES)}, not {out.dtype}")


def check_timed(t: NDArray[np.int64], x: Coordinates, y: Coordinates, p: Polarities) -> None:
    """Raise unless these are columns of one length."""
    check_events(x, y, p)
    if t.dtype != np.int64 or t.shape != x.shape:
        raise TypeError(f"t must be {len(x)} of int64, not {t.shape} of {t.dtype}")


def check_cells(table: NDArray[np.int64], cells: int, depth: int) -> None:
    """Raise unless the table has that many cells of so many times, and the extra cell."""
    size = (cells + 1) * depth
    if table.dtype != np.int64 or not table.flags.c_contiguous or not 0 < table.size == size:
        raise ValueError(f"a table must be contiguous int64 of {cells} + 1 cells")


def check_since(since: NDArray[np.int64], t: NDArray[np.int64]) -> None:
    """Raise unless there is a place for each event."""
    if since.dtype != np.int64 or since.shape != t.shape or not since.flags.c_contiguous:
        raise ValueError(f"since must be {len(t)} of contiguous int64, not {since.shape}")


def check_decay(table: NDArray[np.int64], out: NDArray[np.float32], tau: float) -> np.float32:
    """Raise unless the table can fade into `out`; return 1 / tau."""
    check_cells(table, out.size, 1)
    if out.dtype != np.float32 or not out.flags.c_contiguous:
        raise ValueError(f"out must be contiguous float32, not {out.dtype}")
    if not 1 <= tau < 2**63:
        raise ValueError(f"tau is from 1 us on, not {tau}")
    return np.float32(1) / np.float32(tau)


def check_voxels(grid: NDArray[np.float32]) -> None:
    """Raise unless this is a grid of `(bins, height, width)`."""
    if grid.dtype != np.float32 or grid.ndim != 3 or not grid.flags.c_contiguous:
        raise ValueError(f"a grid must be contiguous float32 of 3 dimensions, not {grid.dtype}")
    check_sensor(grid.shape[2], grid.shape[1], 1)
    if not len(grid):
        raise ValueError("a grid has one bin or more")


def check_hats(  # noqa: PLR0913 - the sums, the columns and the view
    sums: NDArray[np.float32],
    cell: NDArray[np.uint32],
    t: NDArray[np.int64],
    x: Coordinates,
    y: Coordinates,
    memory: int,
    within: int,
    tau: float,
) -> np.float32:
    """Raise unless surfaces can be summed up so; return 1 / tau."""
    if sums.dtype != np.float32 or sums.ndim != 3 or not sums.flags.c_contiguous:
        raise ValueError(f"sums must be contiguous float32 of 3 dimensions, not {sums.dtype}")
    side = sums.shape[1]
    if side % 2 == 0 or side > LARGEST_SURFACE or sums.shape[2] != side:
        raise ValueError(f"a surface is square, of an odd side up to {LARGEST_SURFACE}")
    check_timed(t, x, y, np.empty(len(x), np.bool_))
    if cell.dtype != np.uint32 or cell.shape != x.shape:
        raise TypeError(f"cell must be {len(x)} of uint32, not {cell.shape} of {cell.dtype}")
    if not (0 < memory < 2**31 and 0 <= within < 2**63 and 1 <= tau < 2**63):
        raise ValueError(f"no memory is of {memory} events in {within} us, fading in {tau} us")
    return np.float32(1) / np.float32(tau)


def text_layout(
    columns: Sequence[str], separator: str, seconds: bool, offset: int
) -> dict[str, int]:
    """Return the fields of a state, checked: see `text_state`."""
    if len(columns) > MOST_COLUMNS:
        raise ValueError(f"a row has at most {MOST_COLUMNS} columns, not {len(columns)}")
    if any(list(columns).count(name) != 1 for name in "txyp"):
        raise ValueError(f"columns must name each of t, x, y, p once, not {', '.join(columns)}")
    if len(separator) != 1 or separator not in SEPARATORS:
        raise ValueError(f"the separator must be a comma, ;, tab or space, not {separator!r}")
    places = {f"{name}_column": list(columns).index(name) for name in "txyp"}
    return {
        "columns": len(columns),
        **places,
        "separator": ord(separator),
        "seconds": int(seconds),
        "offset": offset,
        "first_bad": -1,
    }


def check_kind(kind: int) -> None:
    """Raise `ValueError` if this is no kind of stream with pixels."""
    if kind not in PIXEL_KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(str, PIXEL_KINDS))}, not {kind}")


def check_colours(kind: int, rgb: NDArray[np.uint8] | None, rows: int) -> None:
    """Raise `ValueError` if colours are needed and there is no room, or are of another form."""
    if rgb is None:
        if kind == COLOUR:
            raise ValueError("colour events need rgb")
    elif rgb.dtype != np.uint8 or rgb.shape != (rows, 3) or not rgb.flags.c_contiguous:
        raise ValueError(f"rgb must be uint8, contiguous and of shape ({rows}, 3)")


def check_start(start: int, length: int) -> None:
    """Raise `ValueError` if data of this length has no such place."""
    if not 0 <= start <= length:
        raise ValueError(f"start {start} is outside the {length} bytes of data")


def check_next(state: _Next, count: int) -> None:
    """Raise `ValueError` if the next event to be written is none of them."""
    if not 0 <= state.next <= count:
        raise ValueError(f"the next event is {state.next} of {count}")


def check_runs(k: int) -> None:
    """Raise `ValueError` if these are more runs than can be merged."""
    if not 0 <= k <= MOST_RUNS:
        raise ValueError(f"at most {MOST_RUNS} runs can be merged, not {k}")


def ecf_count(data: Buffer) -> int:
    """Return how many events a chunk says it holds; 0 if it is too short to say."""
    head = bytes(memoryview(data)[:4])
    return int.from_bytes(head, "little") >> 2 if len(head) == 4 else 0


def check_room(count: int, room: int) -> None:
    """Raise `ValueError` if there is not so much room."""
    if count > room:
        raise ValueError(f"there is room for {room} events, not {count}")


def check_stamps(last: Stamps, most: int, border: int = 0) -> None:
    """Raise unless this is a table of times, with such a border, for a filter of such a time."""
    _check_pixels(last, np.dtype(np.uint64), border)
    check_time(most)


def check_bursts(bursts: NDArray[np.void], most: int) -> None:
    """Raise unless this is a table of bursts, for a filter of such a time."""
    _check_pixels(bursts, BURST_TYPE, 0)
    check_time(most)


def check_time(most: int) -> None:
    """Raise `ValueError` unless a filter can work with this time, in us."""
    if not 0 <= most <= LONGEST_TIME:
        raise ValueError(f"the time of a filter is from 0 to 2^60 us, not {most}")


def check_keep(keep: NDArray[np.bool_], n: int) -> None:
    """Raise unless there is one flag for each of n events."""
    if keep.dtype != np.bool_ or keep.shape != (n,) or not keep.flags.c_contiguous:
        raise ValueError(f"keep must be {n} contiguous bool, not {keep.dtype} {keep.shape}")


def check_lines(t: NDArray[np.int64], line: Coordinates, most: int) -> None:
    """Raise unless these are times and lines of one length, and `most` a number of events."""
    if t.dtype != np.int64 or line.dtype != np.uint16 or most < 0:
        raise ValueError(f"lines takes int64, uint16 and most >= 0, not {t.dtype}, {line.dtype}")
    if t.shape != line.shape or t.shape != (len(t),):
        raise ValueError("t and line must be of one length")


def _check_pixels(table: NDArray[np.generic], dtype: np.dtype[np.generic], border: int) -> None:
    if table.dtype != dtype or table.ndim != 2 or not table.flags.c_contiguous:
        raise ValueError(f"a table of pixels must be contiguous, 2-d and {dtype}")
    check_sensor(table.shape[1] - 2 * border, table.shape[0] - 2 * border, 1)
