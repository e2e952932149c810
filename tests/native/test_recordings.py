"""Real recordings, where they are at hand: the counts and hashes of what they hold.

They are looked for in `$AEVENTS_RECORDINGS`, else in `../shared/recordings` beside the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "recordings"
FOLDER = Path(os.environ.get("AEVENTS_RECORDINGS", BESIDE))
KINDS = ("evt2", "evt21", "evt3", "evt4", "dat")


def truth() -> dict[str, dict[str, Any]]:
    path = FOLDER / "truth.json"
    every = json.loads(path.read_text()) if path.exists() else {}
    return {name: entry for name, entry in every.items() if entry["format"] in KINDS}


TRUTH = truth()


def read(path: Path) -> tuple[dict[str, str], bytes]:
    """Return the header of a RAW or DAT file, by keyword, and the words."""
    data, header = path.read_bytes(), {}
    while data.startswith(b"% "):
        line, _, data = data.partition(b"\n")
        key, _, value = line[2:].decode().partition(" ")
        header[key.lower()] = value
        if line == b"% end":
            break
    return header, data[2:] if path.suffix == ".dat" else data


@pytest.mark.skipif(not TRUTH, reason=f"no recordings in {FOLDER}: set AEVENTS_RECORDINGS")
@pytest.mark.parametrize("name", sorted(TRUTH))
def test_a_recording_holds_what_the_truth_says(kernels: ModuleType, name: str) -> None:
    kind, told = TRUTH[name]["format"], TRUTH[name]
    header, words = read(FOLDER / name)
    options = {"version": int(header["version"])} if kind == "dat" else {}
    if kind == "evt21":
        options = {"legacy": header.get("endianness") == "legacy"}
    state, out = getattr(kernels, f"{kind}_state")(**options), kernels.columns()
    batches, last, at = [], -1, 0
    while at != last:
        last, at = at, getattr(kernels, f"{kind}_decode")(words, at, state, out)
        batches.append(out.take())
    t, x, y, p = (np.concatenate(column) for column in zip(*batches, strict=True))
    t = t + int(header.get("t0", 0))
    columns = {"t": t.astype("<i8"), "x": x.astype("<u2"), "y": y.astype("<u2"), "p": p}
    assert len(t) == told["count"]
    for column, array in columns.items():
        assert hashlib.sha256(array.tobytes()).hexdigest() == told["sha256"][column], column
