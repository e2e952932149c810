"""A function as a sink."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio
import anyio.lowlevel

T_contra = TypeVar("T_contra", contravariant=True)


class CallbackSink(Generic[T_contra]):
    """Calls a function, or coroutine function, on the event loop with each item. Its errors end the
    stream.
    """

    def __init__(self, function: Callable[[T_contra], object]) -> None:
        self._function = function
        self._closed = False

    async def write(self, item: T_contra, /) -> None:
        """Call it. Raises what it raises; after the close, `anyio.ClosedResourceError`."""
        await anyio.lowlevel.checkpoint()
        if self._closed:
            raise anyio.ClosedResourceError
        answer = self._function(item)
        if isinstance(answer, Awaitable):
            await answer

    async def aclose(self) -> None:
        """Call it no more."""
        self._closed = True
