"""Build the package anew with other compiler flags, and run the native tests against that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NATIVE = [
    "test_compiled.py",
    "test_compiled_aedat.py",
    "test_compiled_ahead.py",
    "test_compiled_emulate.py",
    "test_compiled_events.py",
    "test_compiled_filter.py",
    "test_compiled_marks.py",
    "test_compiled_spif.py",
    "test_compiled_surface.py",
    "test_mmsg.py",
    "test_wake.py",
    "test_columns.py",
    "test_recordings.py",
    "test_planes.py",
    "twins",
]
TESTS = [f"tests/native/{name}" for name in NATIVE]
STREAMED = ("evt2", "evt21", "evt3", "evt4", "dat", "es", "aedat2", "aedat3", "aedat4", "csv")
FUZZED = (*STREAMED, "aedat4-packed", "spif", "ecf", "ros", "rosbag", "mcap", "npy")
FUZZ = "tests/laws/test_fuzz.py::test_"
LAWS = [
    *(f"tests/laws/test_codecs.py::test_a_codec_obeys_the_laws[{name}]" for name in STREAMED),
    *(f"{FUZZ}mutants_are_read_or_refused[{name}]" for name in FUZZED),
    f"{FUZZ}what_mutants_have_found_is_read_or_refused",
]
"""The laws of the formats that kernels read and write."""


def native_tests_pass(
    folder: Path, build: dict[str, str], run: dict[str, str], *, laws: bool = False
) -> None:
    """Build into `folder` with the environment `build`, and run the native tests (and laws)."""
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", str(folder)]
    _do([*command, "--build-lib", str(folder / "lib")], build)
    # -P and importlib: the package must come from the new build, not from the working directory.
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-p", "no:randomly"]
    command += ["-s", "-p", "no:xdist", "--timeout=300", "--import-mode=importlib"]
    paths = os.pathsep.join([str(folder / "lib"), str(ROOT)])
    _do(
        [*command, *(str(ROOT / name) for name in (*TESTS, *(LAWS if laws else ())))],
        {"PYTHONPATH": paths, "AEVENTS_REBUILT": str(folder / "lib")} | run,
    )


def _do(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
