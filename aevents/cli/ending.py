"""How a command is stopped: by Ctrl-C, or by SIGTERM in the same way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

from aevents import runtime

T = TypeVar("T")


class Terminated(KeyboardInterrupt):  # no error
    """SIGTERM came, and what was running has been cleaned up."""


def run(main: Callable[[], Coroutine[object, object, T]], /) -> T:
    """Run `main()` to its end, as `aevents.run` does; SIGTERM stops it just as Ctrl-C does, and
    raises `Terminated`. A second one ends the process at once.
    """
    told = False

    async def stoppable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            nonlocal told
            told = True
            loop.remove_signal_handler(signal.SIGTERM)
            task.cancel()

        with suppress(NotImplementedError):  # on Windows there is no such signal to wait for
            loop.add_signal_handler(signal.SIGTERM, stop)
        try:
            return await main()
        finally:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGTERM)

    try:
        return runtime.run(stoppable)
    except asyncio.CancelledError:
        if told:
            raise Terminated from None
        raise
