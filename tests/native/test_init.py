"""Which kernels are used: the environment decides, and what is installed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .kernels import COMPILED

ASK = "from aevents._native import kernels, name; print(name, kernels.__name__)"


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("AEVENTS_")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=given | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_native_0_asks_for_the_twins() -> None:
    assert run(ASK, AEVENTS_NATIVE="0").stdout == "numpy aevents._native.twins\n"


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@pytest.mark.parametrize("isa", ["base", "v3", "v4"])
def test_isa_asks_for_a_level_and_gets_what_the_cpu_has(isa: str) -> None:
    used = isa if isa in COMPILED else COMPILED[-1]
    assert run(ASK, AEVENTS_ISA=isa).stdout == f"c-{used} aevents._native.compiled\n"


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
def test_the_best_is_the_default() -> None:
    assert run(ASK).stdout == f"c-{COMPILED[-1]} aevents._native.compiled\n"


@pytest.mark.parametrize("native", ["0", "1"])
def test_any_other_isa_is_an_error(native: str) -> None:
    answer = run(ASK, AEVENTS_ISA="sse9", AEVENTS_NATIVE=native)
    assert "ValueError: AEVENTS_ISA is 'sse9': it must be one of base, v3, v4" in answer.stderr


def test_without_the_extension_the_twins_are_used() -> None:
    hide = "import sys; sys.modules['aevents._native._kernels'] = None\n"
    assert run(hide + ASK).stdout == "numpy aevents._native.twins\n"
