"""Tests that see emulated USB devices: each runs in a process of its own, on every loop."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from blockbuster import blockbuster_ctx

from aevents.cameras import imx636
from aevents.cameras.libcaer import find
from aevents.testing.cameras import emulation, preloaded
from aevents.testing.cameras.usbdevfs import libraries

ROOT = Path(__file__).resolve().parents[1]

CYCLES = int(os.environ.get("AEVENTS_CYCLES", "10"))
"""How often tests open and close a camera that do so again and again."""
MORE_SECONDS = CYCLES / 2
"""They may take so much longer, on each loop."""

RUN = "import sys; from tests.emulated import main; main(*sys.argv[1:])"
"""As `-m` it would be a main module, that each process of a bus imports again."""
BUS = "aevents.testing.cameras.umockdev"

bodies: dict[tuple[str, str], Callable[[], Any]] = {}
"""The tests themselves, by module and name."""


def emulated_test(function: Callable[[], Any]) -> Callable[[], None]:
    """Run a test, plain or async, where `aevents.testing.cameras.emulated` can be used."""

    @pytest.mark.timeout(
        90 + 2 * MORE_SECONDS
    )  # a process on a busy machine, and cameras in real time
    def run() -> None:
        try:
            libraries()
        except OSError:
            pytest.skip("no umockdev: apt-get install umockdev")
        if find() is None:
            pytest.skip("no libcaer: pip install 'aevents[inivation]'")
        done = subprocess.run(
            [sys.executable, "-c", RUN, function.__module__, function.__name__],
            cwd=ROOT,
            env=preloaded(),
            capture_output=True,
            text=True,
            timeout=140 + 2 * MORE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.returncode}\n{done.stdout}{done.stderr}"

    run.__module__, run.__name__ = function.__module__, function.__name__
    bodies[function.__module__, function.__name__] = function
    return run


def main(module: str, name: str) -> None:
    """Run one test here, where no sensor needs time to be switched on, nor its long tables, and a
    bus is soon there.
    """
    imx636.RESET = tuple((write, 0.0) for write, _ in imx636.RESET)
    emulation.START = multiprocessing.get_context("forkserver")  # no bus has to import all again
    multiprocessing.set_forkserver_preload([BUS])
    imx636.RATE_DROPS, imx636.RATE_ORDER = (*imx636.RATE_DROPS[:1], 1, 0x08080808), (0x6400, 1)
    importlib.import_module(module)
    test = bodies[module, name]
    if not inspect.iscoroutinefunction(test):
        test()
        return
    for loop in (asyncio.new_event_loop, uvloop.new_event_loop):
        with (
            asyncio.Runner(loop_factory=loop) as runner,
            blockbuster_ctx("aevents", excluded_modules=["aevents.testing"]),
        ):
            runner.run(asyncio.wait_for(test(), 60 + MORE_SECONDS))
