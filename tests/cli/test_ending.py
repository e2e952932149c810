"""A command ends by itself, by Ctrl-C or by SIGTERM, and what runs is cleaned up."""

from __future__ import annotations

import asyncio
import os
import signal

import anyio
import anyio.lowlevel
import pytest

from aevents.cli.ending import Terminated, run


def test_it_returns_what_main_does() -> None:
    async def main() -> int:
        await anyio.lowlevel.checkpoint()
        return 3

    assert run(main) == 3
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_sigterm_stops_it_in_order() -> None:
    cleaned = []

    async def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(True)

    with pytest.raises(Terminated):
        run(main)
    assert cleaned == [True]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_cancellation_of_its_own_is_no_signal() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main)
