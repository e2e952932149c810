"""Every decoder on 2,000 mutants, on what mutants have found, and on files cut off at any byte."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import CORPUS, mutant_of
from tests.fuzz_targets import TARGETS

MUTATIONS = int(os.environ.get("AEVENTS_MUTATIONS", "2000"))
FOUND = sorted(path for path in CORPUS.glob("*/*"))

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("name", TARGETS)
def test_mutants_are_read_or_refused(name: str) -> None:
    seeds = TARGETS[name].seeds()
    for number in range(MUTATIONS):
        data, random = mutant_of(name, seeds, number)
        TARGETS[name].read(data, random)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_mutants_have_found_is_read_or_refused(path: Path) -> None:
    for seed in range(20):
        TARGETS[path.parent.name].read(path.read_bytes(), Random(seed))


@pytest.mark.parametrize("name", TARGETS)
def test_a_file_cut_off_at_any_byte_is_read_or_refused(name: str) -> None:
    data = min(TARGETS[name].seeds(), key=len)
    for size in range(len(data)):
        TARGETS[name].read(data[:size], Random(size))


def test_the_corpus_is_of_formats_that_are_fuzzed() -> None:
    assert {path.parent.name for path in FOUND} <= set(TARGETS)
