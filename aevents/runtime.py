"""Run a program: asyncio, on uvloop where it installs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")


def run(main: Callable[[], Coroutine[object, object, T]], /) -> T:
    """Run `main()` to its end on uvloop, or on asyncio's own loop where uvloop is not installed;
    return its result.

    Ctrl-C cancels it, lets it clean up, and raises `KeyboardInterrupt`. Inside a program that has a
    loop of its own, do not call this: await things there.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
