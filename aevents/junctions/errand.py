"""What a process of `workers` runs: it takes jobs on its standard input, until that ends.

    to it:     the function, then jobs: places of an item in the shared segment
    from it:   "ready", then for each job: whether it went well, the places of the result or the
               error, and the places of items of which the function has kept some memory

Each message is a pickle of these with its length in eight bytes before it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import struct
import sys
import traceback
import weakref
from collections.abc import Callable
from multiprocessing.spawn import prepare
from typing import Any, BinaryIO

from aevents.junctions import crew
from aevents.junctions.segment import Place, Segment

LENGTH = struct.Struct("<Q")


def main(descriptor: int) -> None:
    """Take jobs, one after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this says when it ends
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a function prints is no result
    with contextlib.suppress(EOFError, BrokenPipeError):  # nobody waits for more
        _work(jobs, results, Leases(Segment(descriptor)))


def _work(jobs: BinaryIO, results: BinaryIO, leases: Leases) -> None:
    given = _receive(jobs)
    try:
        function = _begin(given)
    except BaseException as error:
        _send(results, (False, f"{type(error).__name__}: {error}"))
        return
    _send(results, (True, "ready"))
    while True:
        _send(results, leases.work(function, _receive(jobs)))


class Leases:
    """The memory of items that are still in use."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._held: list[tuple[Place, list[weakref.ref[object]]]] = []

    def work(
        self, function: Callable[[object], object], places: list[Place]
    ) -> tuple[bool, list[Place], list[Place]]:
        """Call the function with the item at these places; return what is said of it."""
        lease = places[0][0], places[-1][1]
        views = self._segment.views(places)
        self._held.append((lease, [weakref.ref(view.obj) for view in views]))
        well, answer = self._answer(function, views)
        views.clear()
        if lease in self._still_held():  # by a reference cycle, perhaps
            gc.collect()
        return well, answer, self._still_held()

    def _answer(
        self, function: Callable[[object], object], views: list[memoryview]
    ) -> tuple[bool, list[Place]]:
        held = [place for place, _ in self._held]
        try:
            item = pickle.loads(views[0], buffers=views[1:])
            return True, self._segment.put(function(item), held)
        except Exception as error:  # raised again where the results are read
            return False, self._segment.put(_sendable(error), held)

    def _still_held(self) -> list[Place]:
        self._held = [
            (place, refs) for place, refs in self._held if any(ref() is not None for ref in refs)
        ]
        return [place for place, _ in self._held]


def _sendable(error: Exception) -> Exception:
    told = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # it cannot go to another process: what it says can
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.__traceback__ = error.__cause__ = error.__context__ = None
    error.add_note(f"in a worker process:\n{told}")
    return error


def _begin(given: tuple[dict[str, object], bytes]) -> Callable[[object], object]:
    preparation, function = given
    crew.preparing = True
    prepare(preparation)
    crew.preparing = False
    made: Callable[[object], object] = pickle.loads(function)
    gc.freeze()  # what is here stays: a collection need not look at it
    return made


def _receive(file: BinaryIO) -> Any:  # noqa: ANN401  # a pickle
    head = file.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    return pickle.loads(file.read(LENGTH.unpack(head)[0]))


def _send(file: BinaryIO, message: object) -> None:
    data = pickle.dumps(message)
    file.write(LENGTH.pack(len(data)) + data)
    file.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
