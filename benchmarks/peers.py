"""Other software of this field at work on files: run as a script by the Python of its environment.

    python benchmarks/peers.py read  PEER FORMAT FILE          print count and checksums as JSON
    python benchmarks/peers.py write PEER FORMAT FILE EVENTS   write what EVENTS (.npy) holds
    python benchmarks/peers.py time  PEER FORMAT FILE          load FILE for each line on stdin

Each peer loads a whole file in the way that its own manual shows; where there is a choice, the
faster one is taken. `aevents` stands among them, so that all are timed by the same lines.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Columns = tuple[Any, Any, Any, Any]
WIDTH, HEIGHT = 1280, 720
DTYPES = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "u1"}


class Peer(NamedTuple):
    """How one package loads a file, gets at t, x, y, p of what it loaded, and writes a file."""

    load: Callable[[str, str], Any]
    columns: Callable[[Any], Columns]
    save: Callable[[str, str, Any], object] | None = None


def aevents() -> Peer:
    """Return this project."""
    import aevents

    return Peer(lambda _format, path: aevents.load(path), lambda a: (a.t, a.x, a.y, a.p))


def faery() -> Peer:
    """Return faery: structured arrays, field `on`."""
    import faery

    def save(format: str, path: str, events: Any) -> None:  # noqa: ANN401
        array = np.empty(len(events), faery.EVENTS_DTYPE)
        for name, field in zip("txyp", ("t", "x", "y", "on"), strict=True):
            array[field] = events[name]
        version = {"evt2": "evt2", "evt3": "evt3", "dat": "dat2"}.get(format)
        faery.events_stream_from_array(array, (WIDTH, HEIGHT)).to_file(path, version=version)

    return Peer(
        lambda _format, path: faery.events_stream_from_file(path).to_array(),
        lambda a: (a["t"], a["x"], a["y"], a["on"]),
        save,
    )


def expelliarmus() -> Peer:
    """Return expelliarmus: structured arrays."""
    from expelliarmus import Wizard

    def save(format: str, path: str, events: Any) -> None:  # noqa: ANN401
        dtype = np.dtype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "u1")], align=True)
        Wizard(encoding=format).save(path, events.astype(dtype))

    return Peer(
        lambda format, path: Wizard(encoding=format).read(path),
        lambda a: (a["t"], a["x"], a["y"], a["p"]),
        save,
    )


def evlib() -> Peer:
    """Return evlib: polars frames, not sorted anew, polarity -1 and 1."""
    import evlib

    def save(_format: str, path: str, events: Any) -> None:  # noqa: ANN401
        x, y, p = (events[name].astype(np.int64) for name in "xyp")
        evlib.save_events_to_text(x, y, events["t"] / 1e6, p, path)

    return Peer(
        lambda _format, path: evlib.load_events(path, sort=False).collect(),
        lambda a: (a["t"].to_physical(), a["x"], a["y"], a["polarity"].to_numpy() > 0),
        save,
    )


def evutils() -> Peer:
    """Return evutils: four columns."""
    from evutils.io import EventReader, EventWriter
    from evutils.types import EventArray

    def save(_format: str, path: str, events: Any) -> None:  # noqa: ANN401
        columns = {name: np.ascontiguousarray(events[name]) for name in "txyp"}
        with EventWriter(path, width=WIDTH, height=HEIGHT) as writer:
            writer.write(EventArray(**columns))

    return Peer(
        lambda _format, path: EventReader(path).read_all(),
        lambda a: (a.t, a.x, a.y, a.p),
        save,
    )


def numpy() -> Peer:
    """Return NumPy itself, for its own formats: one contiguous array a column, as a user needs."""

    def load(_format: str, path: str) -> Columns:
        events = np.load(path)
        t, x, y, p = (np.ascontiguousarray(events[name]) for name in "txyp")
        return t, x, y, p

    return Peer(load, lambda a: a, lambda _format, path, events: np.save(path, events))


PEERS: dict[str, Callable[[], Peer]] = {
    "aevents": aevents,
    "evlib": evlib,
    "evutils": evutils,
    "expelliarmus": expelliarmus,
    "faery": faery,
    "numpy": numpy,
}


def describe(columns: Columns) -> dict[str, object]:
    """Return the count and the sha256 of each column, as little-endian t, x, y, p."""
    arrays = {name: np.asarray(a) for name, a in zip("txyp", columns, strict=True)}
    return {"count": len(arrays["t"])} | {
        name: hashlib.sha256(array.astype(DTYPES[name]).tobytes()).hexdigest()
        for name, array in arrays.items()
    }


def timed(peer: Peer, format: str, path: str) -> dict[str, float]:
    """Return CPU time of the process and wall time, in seconds, of loading the file once."""
    cpu, wall = time.process_time(), time.perf_counter()
    loaded = peer.load(format, path)
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    return spent | {"count": len(peer.columns(loaded)[0])}


def main(task: str, name: str, format: str, path: str, events: str = "") -> None:
    """Do one task; whatever a package prints itself goes to stderr."""
    out, sys.stdout = sys.stdout, sys.stderr
    peer = PEERS[name]()
    if task == "read":
        print(json.dumps(describe(peer.columns(peer.load(format, path)))), file=out)
    if task == "write" and peer.save is not None:
        peer.save(format, path, np.load(events))
    for _ in sys.stdin if task == "time" else ():
        print(json.dumps(timed(peer, format, path)), file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
