"""Under AddressSanitizer and UndefinedBehaviorSanitizer the native tests must find nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .kernels import COMPILED
from .rebuilt import native_tests_pass


def library(name: str) -> str:
    """Return the path of a library of the C compiler, empty if it has none."""
    compiler = shutil.which("cc")
    if compiler is None:
        return ""
    asked = [compiler, f"-print-file-name={name}"]
    path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return path if Path(path).is_absolute() else ""


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.skipif(not library("libasan.so"), reason="the C compiler has no AddressSanitizer")
@pytest.mark.skipif("AEVENTS_REBUILT" in os.environ, reason="runs inside a rebuilt package")
@pytest.mark.timeout(1500)
def test_the_sanitizers_find_nothing(tmp_path: Path) -> None:
    run = {
        "LD_PRELOAD": library("libasan.so"),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",  # so that small objects have guards around them too
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "AEVENTS_LEVELS": " ".join(COMPILED),
        "AEVENTS_MUTATIONS": "500",
    }
    native_tests_pass(tmp_path, {"AEVENTS_SANITIZE": "1"}, run, laws=True)
