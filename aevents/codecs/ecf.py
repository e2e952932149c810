"""ECF, the Event Compression Format: chunks of events, as Prophesee's filter for HDF5 packs them.

Specified by that filter, github.com/prophesee-ai/hdf5_ecf; the layout is told in `_native/ecf.c`. A
chunk stands for itself: nothing carries over from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterator

from aevents._native import kernels
from aevents._native.checks import ecf_count
from aevents._native.columns import SLACK
from aevents._native.room import Room
from aevents.codecs.base import Buffer, Watch
from aevents.types import EventBatch

FILTER = 36_559
"""The number under which HDF5 knows the filter."""
MOST_EVENTS = 65_535
"""In a chunk, which says in 16 bits how many of its events are alike."""
MOST_BYTES = 24 * MOST_EVENTS
"""A longer chunk is none: an event takes 22 bytes at the very most."""


class EcfDecoder:
    """Chunks to batches; small ones share a batch, of up to 65,536 events."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._out = kernels.columns(MOST_EVENTS + 1 + SLACK)

    def keep_in(self, room: Room) -> None:
        """Put the events into `room`, where they stay."""
        self._out.keep_in(room)

    def feed(self, chunk: Buffer, rows: int, /) -> Iterator[EventBatch]:
        """Take in the first `rows` events of a chunk; give a batch where there is no room for more.

        A chunk that is damaged, or holds less, is left out and counted: `bad_chunks`.
        """
        out, count = self._out, ecf_count(chunk)
        if out.n + count > out.capacity - SLACK:
            yield from self.flush()
        if not out.n:
            out.begin()
        before = out.n
        if not rows <= count <= MOST_EVENTS or not kernels.ecf_decode(chunk, out):
            self._watch.note("bad_chunks", 1, f"a chunk of {len(chunk)} bytes is damaged")
            return
        out.n = before + rows  # the last chunk may be filled up with what is no event

    def flush(self) -> Iterator[EventBatch]:
        """Give the events that are left."""
        if self._out.n:
            yield self._watch.batch(*self._out.take())
            self._out.n = 0


def encode_chunk(batch: EventBatch, /) -> bytes:
    """Return the events as one chunk; no bytes if ECF cannot hold them: more than 65,535, columns
    or rows from 2048 on, times that go back.
    """
    return kernels.ecf_encode(batch.t, batch.x, batch.y, batch.p)


def first_time(chunk: Buffer, /) -> int | None:
    """Return the time in µs of a chunk's first event; None if it is too short to say."""
    head = bytes(memoryview(chunk)[4:12])
    return int.from_bytes(head, "little", signed=True) if len(head) == 8 else None
