"""The AVX-512 kernels on any CPU: compiled through SIMDe, they must pass the native tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .kernels import COMPILED
from .rebuilt import native_tests_pass

HEADERS = ["/usr/include", "/usr/local/include", *os.environ.get("CPATH", "").split(":")]
FOUND = any(Path(folder, "simde/x86/avx512.h").exists() for folder in HEADERS)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.skipif(not FOUND, reason="no SIMDe headers: install libsimde-dev")
@pytest.mark.skipif("AEVENTS_REBUILT" in os.environ, reason="runs inside a rebuilt package")
@pytest.mark.timeout(1500)
def test_every_level_passes_the_native_tests(tmp_path: Path) -> None:
    flags = f"-DAE_SIMDE -O1 -I{Path(__file__).parent}"
    native_tests_pass(tmp_path, {"CFLAGS": flags}, {"AEVENTS_LEVELS": "base v3 v4"})
