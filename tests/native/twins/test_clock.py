"""Where a reader stops in doubt: C and the twins at the same word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ..kernels import IMPLEMENTATIONS, implementation

if TYPE_CHECKING:
    from types import ModuleType

HIGH, OFF = 8 << 28, 0


@pytest.fixture(params=IMPLEMENTATIONS)
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    return implementation(request.param)


def stop(kernels: ModuleType, words: list[int], **state: int) -> tuple[int, int]:
    """Return the word at which EVT2's reader stops, and whether it is in doubt."""
    reader = kernels.evt2_state()
    reader.started, reader.high = 1, 99
    for name, value in state.items():
        setattr(reader, name, value)
    out = kernels.columns()
    at = kernels.evt2_decode(np.array(words, "<u4").tobytes(), 0, reader, out)
    return at // 4, int(reader.doubt)


STEADY = [word for high in range(100, 110) for word in (HIGH | high, OFF | 5 << 22, OFF | 9 << 22)]


def test_a_clock_that_goes_on_is_not_doubted(kernels: ModuleType) -> None:
    assert stop(kernels, STEADY) == (len(STEADY), 0)


def test_a_leap_and_a_fall_are_doubted(kernels: ModuleType) -> None:
    for wrong in (100_000_000, 50):
        words = [*STEADY[:15], HIGH | wrong, *STEADY[15:]]
        assert stop(kernels, words) == (15, 1)
        assert stop(kernels, words, trusted=1) == (len(words), 0)


def test_reserved_types_are_doubted_unless_it_is_lenient(kernels: ModuleType) -> None:
    words = [*STEADY[:14], 9 << 28, *STEADY[14:]]
    assert stop(kernels, words) == (14, 1)
    assert stop(kernels, words, lenient=1) == (len(words), 0)


def test_an_event_that_falls_back_is_doubted(kernels: ModuleType) -> None:
    words = [*STEADY[:13], OFF | 60 << 22, OFF | 2 << 22, *STEADY[15:]]
    assert stop(kernels, words)[1] == 1
    assert stop(kernels, words, unsorted=1) == (len(words), 0)
