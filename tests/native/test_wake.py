"""What others call wakes whoever waits for the file."""

from __future__ import annotations

import select

import pytest
from cffi import FFI

from aevents._native import name
from aevents._native.wake import Wake

ffi = FFI()
NATIVE = [pytest.param(True, marks=pytest.mark.skipif(name == "numpy", reason="no C")), False]


def call(function: int, wake: Wake) -> None:
    ffi.cast("void (*)(void *)", function)(ffi.cast("void *", wake.argument))


def readable(wake: Wake) -> bool:
    return bool(select.select([wake.file], [], [], 0)[0])


@pytest.mark.parametrize("native", NATIVE)
def test_a_call_makes_the_file_readable_until_it_is_cleared(native: bool) -> None:
    wake = Wake(native=native)
    assert not readable(wake)
    call(wake.come, wake)
    call(wake.come, wake)
    assert readable(wake)
    wake.clear()
    assert not readable(wake)
    assert not wake.ended
    wake.close()


@pytest.mark.parametrize("native", NATIVE)
def test_the_end_is_told_too(native: bool) -> None:
    wake = Wake(native=native)
    call(wake.end, wake)
    assert wake.ended
    assert readable(wake)
    wake.close()


@pytest.mark.parametrize("native", NATIVE)
def test_calls_that_nobody_clears_do_not_block(native: bool) -> None:
    wake = Wake(native=native)
    for _ in range(70_000):  # a pipe holds 65,536 bytes
        call(wake.come, wake)
    assert readable(wake)
    wake.clear()
    assert not readable(wake)
    wake.close()
