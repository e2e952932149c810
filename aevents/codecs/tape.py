"""Bytes that have come in pieces, by the words that they are made of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from aevents.codecs.clock import Integers

Words = npt.NDArray[np.uint16] | npt.NDArray[np.uint32] | npt.NDArray[np.uint64]


MOST_COPIED = 1 << 16
MOST_PIECES = 48
"""More are put together: somebody who looks ahead in them keeps so many."""


class Tape:
    """Words of `size` bytes in pieces, of which some are taken from the front."""

    def __init__(self, size: int) -> None:
        self.pieces: list[memoryview] = []
        self._size = size
        self._torn = b""  # the beginning of a word

    def add(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes, which stay as they are. Only a word that they complete is copied."""
        view = memoryview(data)
        if not len(view):
            return
        missing = -len(self._torn) % self._size
        self._torn += view[:missing]
        whole = missing + (len(view) - missing) // self._size * self._size
        if len(self._torn) == self._size:
            self.pieces.append(memoryview(self._torn))
            self._torn = b""
        if whole > missing:
            self.pieces.append(view[missing:whole])
        self._torn += view[max(whole, missing) :]
        if len(self.pieces) > MOST_PIECES:
            self.pieces = [memoryview(b"".join(self.pieces))]

    @property
    def words(self) -> int:
        """How many whole words there are."""
        return sum(map(len, self.pieces)) // self._size

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
        """Take these words away. A short rest is copied, so that it does not hold what it is of."""
        count = words * self._size
        while self.pieces and count >= len(self.pieces[0]):
            count -= len(self.pieces.pop(0))
        if count:
            rest = self.pieces[0][count:]
            self.pieces[0] = rest if len(rest) > MOST_COPIED else memoryview(bytes(rest))

    def split(self, words: int) -> list[memoryview]:
        """Take all but so many words away, and return it; nothing, if there are no other words."""
        left = words * self._size
        for index, piece in enumerate(self.pieces):
            if left < len(piece):
                later = [piece[left:], *self.pieces[index + 1 :], memoryview(self._torn)]
                self.pieces[index:] = [piece[:left]] if left else []
                self._torn = b""
                return later
            left -= len(piece)
        return []

    def skip(self, count: int) -> None:
        """Take bytes away, so that words begin elsewhere."""
        rest = self.rest()[count:]
        self.pieces, self._torn = [], b""
        self.add(rest)

    def rest(self) -> bytes:
        """Return all that is left."""
        return b"".join((*self.pieces, self._torn))

    def __len__(self) -> int:
        return sum(map(len, self.pieces)) + len(self._torn)
