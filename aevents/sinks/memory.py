"""Results that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel

from aevents.operators.results import Result

U = TypeVar("U")


class MemorySink(Generic[U]):
    """Keeps all results: `kept` has them in the order in which they came.

    >>> async def ask(frames, net):
    ...     memory = MemorySink()
    ...     async with infer(frames, net) as results:
    ...         await results.to(memory)
    ...     print(memory.last("net"), memory.between(0, 1_000_000))
    """

    def __init__(self) -> None:
        self.kept: list[Result[U]] = []
        self._last: dict[str, Result[U]] = {}
        self._closed = False

    async def write(self, result: Result[U], /) -> None:
        """Keep one more. Raises `anyio.ClosedResourceError` after the close."""
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise anyio.ClosedResourceError
        self.kept.append(result)
        self._last[result.model] = result

    async def aclose(self) -> None:
        """Keep no more; what is there stays."""
        self._closed = True

    def last(self, name: str | None = None, /) -> Result[U] | None:
        """Return the last that came, of this model or of any; None if there is none."""
        if name is not None:
            return self._last.get(name)
        return self.kept[-1] if self.kept else None

    def between(self, start: int, stop: int, name: str | None = None, /) -> Sequence[Result[U]]:
        """Return those of `start <= t_us < stop`, of this model or of all, in that order."""
        found = [one for one in self.kept if start <= one.t_us < stop and name in (None, one.model)]
        return sorted(found, key=lambda one: one.t_us)
