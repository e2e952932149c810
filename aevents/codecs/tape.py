"""Bytes that have come in pieces, by the words that they are made of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.codecs.clock import Integers

Words = npt.NDArray[np.uint16] | npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


MOST_COPIED = 1 << 16
"""What is held goes in one piece with the rest of its last word, if it is no more than this."""


class Tape:
    """Bytes in pieces that no word straddles, of which some are taken from the front."""

    def __init__(self, held: bytes, data: memoryview, size: int) -> None:
        whole = len(held) // size * size if len(held) > MOST_COPIED else 0
        seam = held[whole:]
        bridge = -len(seam) % size
        seam += data[:bridge]
        pieces = memoryview(held)[:whole], memoryview(seam), data[bridge:]
        self.pieces: list[memoryview] = [piece for piece in pieces if piece]
        self._size = size

    @property
    def words(self) -> int:
        """How many whole words there are."""
        return sum(len(piece) for piece in self.pieces) // self._size

    def runs(self, start: int, stop: int) -> Iterator[memoryview]:
        """Yield the words from number `start` to `stop`."""
        start, stop = start * self._size, stop * self._size
        for piece in self.pieces:
            if stop > start and stop > 0 and (run := piece[max(start, 0) : stop]):
                yield run
            start, stop = start - len(piece), stop - len(piece)

    def part(self, start: int, stop: int) -> memoryview:
        """Return these words in one piece."""
        runs = list(self.runs(start, min(stop, self.words)))
        return runs[0] if len(runs) == 1 else memoryview(b"".join(runs))

    def words_at(self, places: Integers) -> Words:
        """Return the words with these numbers, 0 where there are none."""
        found: Words = np.zeros(places.shape, f"<u{self._size}")
        done = 0
        for piece in self.pieces:
            words = np.frombuffer(piece, found.dtype, len(piece) // self._size)
            inside = (places >= done) & (places < done + len(words))
            found[inside] = words[places[inside] - done]
            done += len(words)
        return found

    def drop(self, words: int) -> None:
        """Take these words away."""
        count = words * self._size
        while self.pieces and count >= len(self.pieces[0]):
            count -= len(self.pieces.pop(0))
        if count:
            self.pieces[0] = self.pieces[0][count:]

    def skip(self, count: int) -> None:
        """Take bytes away, so that words begin elsewhere."""
        self.pieces = [memoryview(self.rest())[count:]]

    def rest(self) -> bytes:
        """Return all that is left."""
        return b"".join(self.pieces)
