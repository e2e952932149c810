"""Other software of this field at work: run as a script by the Python of its environment.

    python benchmarks/peers.py read  PEER FORMAT FILE          print count and checksums as JSON
    python benchmarks/peers.py write PEER FORMAT FILE EVENTS   write what EVENTS (.npy) holds
    python benchmarks/peers.py time read  PEER FORMAT FILE         the same for each line on stdin,
    python benchmarks/peers.py time write PEER FORMAT FILE EVENTS  and print the time it took
    python benchmarks/peers.py time make  PEER WHAT EVENTS         the same for makers.py

`aevents` stands among the peers (adapters.py), so that all are timed by the same lines.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable

import numpy as np
from adapters import HEIGHT, PEERS, Peer
from makers import WORKS

DTYPES = {"t": "<i8", "x": "<u2", "y": "<u2", "p": "u1"}


def describe(peer: Peer, format: str, path: str) -> dict[str, object]:
    """Return the count and the sha256 of each column, as little-endian t, x, y, p."""
    sums = {name: hashlib.sha256() for name in DTYPES}
    count = 0
    for piece in peer.read(format, path):
        for (name, dtype), column in zip(DTYPES.items(), peer.columns(piece), strict=True):
            array = np.asarray(column)
            if name == "y" and peer.from_below:
                array = HEIGHT - 1 - array
            sums[name].update(np.ascontiguousarray(array.astype(dtype)))
        count += len(array)
    return {"count": count} | {name: value.hexdigest() for name, value in sums.items()}


def count(peer: Peer, format: str, path: str) -> int:
    """Read the file piece by piece; return the number of events."""
    return sum(len(peer.columns(piece)[0]) for piece in peer.read(format, path))


def timed(task: Callable[[], object]) -> dict[str, float]:
    """Return CPU time of the process, all threads, and wall time, in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    task()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def task(
    name: str, peer_name: str, format: str, path: str, events: str = ""
) -> Callable[[], object]:
    """Return what is to be done; what it is to be done with is made ready before."""
    if name == "make":
        return WORKS[format][peer_name](np.load(path))
    peer = PEERS[peer_name]()
    if name == "read":
        return lambda: count(peer, format, path)
    save, given = peer.save, peer.given(np.load(events))
    assert save is not None
    return lambda: save(format, path, given)


def main(*arguments: str) -> None:
    """Do what is asked; whatever a package prints itself goes to stderr."""
    out, sys.stdout = sys.stdout, sys.stderr
    again = arguments[0] == "time"
    name, peer_name, format, path, *events = arguments[again:]
    if not again and name == "read":
        print(json.dumps(describe(PEERS[peer_name](), format, path)), file=out)
        return
    do = task(name, peer_name, format, path, *events)
    if not again:
        do()
    for _ in sys.stdin if again else ():
        print(json.dumps(timed(do)), file=out, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
