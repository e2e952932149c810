"""Mutants: the same for the same dice, of bounded size, bent by every kind of change."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from aevents import _mutants
from aevents._mutants import CHANGES, LONGEST_RUN, MOST_TIMES, mutant

SEED = b"% width 640\n" + bytes(range(200))
OTHER = b"other" * 30


def test_the_same_dice_give_the_same_mutants() -> None:
    one, other = ([mutant([SEED], dice) for _ in range(50)] for dice in (Random(1), Random(1)))
    assert one == other
    assert len(set(one)) > 40


def test_mutants_do_not_grow_beyond_a_bound() -> None:
    dice = Random(2)
    sizes = [len(mutant([SEED[:40]], dice)) for _ in range(2_000)]
    assert max(sizes) <= MOST_TIMES * 40
    assert min(sizes) < 20


def test_no_bytes_have_mutants_too() -> None:
    dice = Random(3)
    assert {mutant([b""], dice) for _ in range(50)} == {b""}
    assert all(isinstance(mutant([b"a", b""], dice), bytes) for _ in range(500))


def test_files_are_spliced() -> None:
    dice = Random(4)
    mutants = [mutant([SEED, OTHER], dice) for _ in range(500)]
    assert any(one[:5] == SEED[:5] and one.endswith(b"other") for one in mutants)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_small(change: Callable[[bytearray, Random], None]) -> None:
    dice, changed = Random(5), 0
    for _ in range(300):
        data = bytearray(SEED)
        change(data, dice)
        changed += data != SEED
        assert len(data) <= len(SEED) + max(400, 20 * LONGEST_RUN)
    assert changed > 100


@pytest.mark.parametrize(
    "expected", [b"640", b"65536", b"18446744073709551616", b"nan"], ids=bytes.decode
)
def test_numbers_in_text_are_made_extreme(expected: bytes) -> None:
    dice, found = Random(6), set()
    for _ in range(500):
        data = bytearray(b"% width 640\n")
        _mutants._set_text(data, dice)
        found.add(bytes(data))
    assert b"% width " + expected + b"\n" in found or expected == b"640"


def test_numbers_are_set_at_their_ends() -> None:
    dice, found = Random(7), set()
    for _ in range(2_000):
        data = bytearray(8)
        _mutants._set_number(data, dice)
        found.add(bytes(data))
    assert {b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0\0\0\x80\0\0\0\0", bytes(8)} <= found
