"""A command ends by itself, by Ctrl-C or by SIGTERM, and what runs is cleaned up."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator

import anyio
import anyio.lowlevel
import pytest

from aevents.cli.ending import Terminated, run

BOTH = pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Nothing is left of the handlers."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_it_returns_what_main_does() -> None:
    async def main() -> int:
        await anyio.lowlevel.checkpoint()
        return 3

    assert run(main) == 3


@BOTH
def test_a_signal_stops_it_in_order(number: int, error: type[BaseException]) -> None:
    cleaned = []

    async def main() -> None:
        os.kill(os.getpid(), number)
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append(signal.getsignal(number))

    with pytest.raises(error):
        run(main)
    assert cleaned == [signal.SIG_DFL]  # so that a second one ends the process


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    async def main() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.lowlevel.checkpoint()
        return 3

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(main) == 3
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_cancellation_of_its_own_is_no_signal() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_one_ends_what_waits_for_a_reader(
    number: int, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    with start("run", "synthetic:bar?duration_us=0", "--to", "-") as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"% "  # and no more: the pipe is full soon
        while process.poll() is None:
            process.send_signal(number)
    assert process.returncode in (-number, 128 + number)
