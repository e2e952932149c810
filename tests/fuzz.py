"""Every decoder on mutants: bytes bent at random must give batches, counts or `DecodeError`.

python -m tests.fuzz                      100,000 mutants of each format
python -m tests.fuzz evt3 dat             of these two
python -m tests.fuzz hdf5 --mutants 5000 --first 20000

`make fuzz` does this with the C kernels under AddressSanitizer and UndefinedBehaviorSanitizer. A
mutant that raises something else, takes longer than ten seconds, or brings the process down is kept
in tests/data/corpus, made as small as is quick, where tests/laws/test_fuzz.py finds it. Exit status
1 says that there was one.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random

from aevents._mutants import mutant
from tests.fuzz_targets import TARGETS, Target

CORPUS = Path(__file__).parent / "data" / "corpus"
MUTANTS = 100_000
MOST_SECONDS = 10
MOST_FOUND = 10
"""After so many of one format, something must be mended first."""
MINIMISING_S = 20
DONE = 200
"""The exit status of a process that comes to its end is so much, and how many were found."""


def main() -> int:
    """Fuzz what the command line names, each format in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(TARGETS))
    parser.add_argument("--mutants", type=int, default=MUTANTS)
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    numbers = range(arguments.first, arguments.first + arguments.mutants)
    if arguments.here:
        return DONE + _try_all(arguments.formats[0], numbers, arguments.here)
    found = [_fuzz(name, numbers) for name in arguments.formats or TARGETS]
    return int(any(found))


def mutant_of(name: str, seeds: Sequence[bytes], number: int) -> tuple[bytes, Random]:
    """Return the mutant of this number, and the dice to read it with: always the same."""
    random = Random(f"{name} {number}")
    return mutant(seeds, random), random


def _fuzz(name: str, numbers: range) -> int:
    """Run a process over these mutants, and again behind one that brings it down; return how many
    did something that they must not.
    """
    began, found, crashes = time.monotonic(), 0, 0
    with tempfile.NamedTemporaryFile() as place:
        todo = numbers
        while todo:
            command = [sys.executable, *_flags(), "-m", "tests.fuzz", name, "--here", place.name]
            command += ["--mutants", str(len(todo)), "--first", str(todo.start)]
            done = subprocess.run(command, check=False)
            at = int(Path(place.name).read_bytes() or b"0")
            if done.returncode >= DONE:
                found += done.returncode - DONE
                break
            crashes += 1
            data, _ = mutant_of(name, TARGETS[name].seeds(), at)
            print(f"{name}: mutant {at} ended the process: {done.returncode}: {_kept(name, data)}")
            todo = range(at + 1, todo.stop) if crashes < MOST_FOUND else range(0)
    seconds = time.monotonic() - began
    tried = at + 1 - numbers.start
    print(f"{name}: {tried} mutants, {found + crashes} found, {seconds:.0f} s", flush=True)
    return found + crashes


def _flags() -> list[str]:
    return ["-P"] if sys.flags.safe_path else []


def _try_all(name: str, numbers: range, place: Path) -> int:
    """Try these mutants; return how many raised what they must not. `place` says how far it is."""
    target, found = TARGETS[name], set[str]()
    seeds = target.seeds()
    warnings.simplefilter("error")  # as in all tests
    with place.open("wb", buffering=0) as file:
        for number in numbers:
            file.seek(0)
            file.write(b"%-20d" % number)
            data, random = mutant_of(name, seeds, number)
            error = _tried(target, data, random)
            if error and error not in found:
                found.add(error)
                small = _smaller(data, partial(_fails_so, target, error))
                print(f"{name}: mutant {number}: {error}: {_kept(name, small)}", flush=True)
            if len(found) == MOST_FOUND:
                break
    return len(found)


def _tried(target: Target, data: bytes, random: Random | None = None) -> str:
    """Return what went wrong, and where; nothing if all is well."""
    signal.alarm(MOST_SECONDS)
    try:
        target.read(data, random or Random(0))
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} at {Path(frame.filename).name}:{frame.lineno}"
    finally:
        signal.alarm(0)
    return ""


def _fails_so(target: Target, error: str, data: bytes) -> bool:
    return _tried(target, data) == error


def _smaller(data: bytes, bad: Callable[[bytes], bool]) -> bytes:
    """Return the bytes without what can be left out while they are still bad."""
    until, size = time.monotonic() + MINIMISING_S, len(data) // 2
    while size and bad(data):
        at = 0
        while at < len(data) and time.monotonic() < until:
            less = data[:at] + data[at + size :]
            if bad(less):
                data = less
            else:
                at += size
        size //= 2
    return data


def _kept(name: str, data: bytes) -> Path:
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
