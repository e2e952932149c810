"""The process of emulated cameras: there when it is needed, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aevents.testing.cameras import DAVIS346, DVXplorer, emulated, preloaded
from aevents.testing.cameras.emulation import FOLDER
from tests.emulated import emulated_test


def test_a_program_that_could_not_see_them_is_told() -> None:
    with pytest.raises(RuntimeError, match="umockdev-wrapper"), emulated():
        pass


def test_programs_are_started_so_that_they_see_them() -> None:
    assert preloaded()["LD_PRELOAD"] == "libumockdev-preload.so.0"
    assert preloaded()["PATH"] == os.environ["PATH"]


@emulated_test
def test_it_is_gone_afterwards() -> None:
    os.environ[FOLDER] = "before"
    with emulated(DVXplorer()):
        folder = Path(os.environ[FOLDER])
        assert (folder / "dev/bus/usb/001/002").exists()
    assert os.environ.pop(FOLDER) == "before"
    assert not folder.exists()


@emulated_test
def test_programs_that_are_started_see_the_same() -> None:
    code = "from pathlib import Path; print(len(list(Path('/dev/bus/usb/001').iterdir())))"
    with emulated(DVXplorer(), DAVIS346()):
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        assert done.stdout == "2\n"


@emulated_test
def test_what_the_host_has_set_can_be_seen() -> None:
    with emulated(DVXplorer(), DAVIS346()) as cameras:
        assert cameras.registers(0)[1, 0] == 640
        assert cameras.registers(1)[1, 0] == 346
