"""How a command is stopped: by Ctrl-C, or by SIGTERM in the same way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

from aevents import runtime

T = TypeVar("T")


class Terminated(KeyboardInterrupt):
    """SIGTERM came, and what was running has been cleaned up."""


STOPS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
"""The signals that stop a command, and what is raised when it has come to its end."""


def run(main: Callable[[], Coroutine[object, object, T]], /) -> T:
    """Run `main()` to its end, as `aevents.run` does. Ctrl-C and SIGTERM cancel it, let it clean
    up, and raise `KeyboardInterrupt` and `Terminated`; a second one ends the process at once.
    """
    heeded = {
        one: signal.getsignal(one) for one in STOPS if signal.getsignal(one) != signal.SIG_IGN
    }
    told: list[signal.Signals] = []

    async def stoppable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop(number: signal.Signals) -> None:
            told.append(number)
            for one in heeded:
                loop.remove_signal_handler(one)
                signal.signal(one, signal.SIG_DFL)
            task.cancel()

        with suppress(NotImplementedError):  # on Windows a loop cannot; Ctrl-C works all the same
            for one in heeded:
                loop.add_signal_handler(one, stop, one)
        return await main()

    try:
        return runtime.run(stoppable)
    except asyncio.CancelledError:
        if told:
            raise STOPS[told[0]] from None
        raise
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
