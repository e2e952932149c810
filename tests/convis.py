"""What convis really gave: arrays, and files of its own, beside the repository.

They are looked for in `$AEVENTS_TRUTH`, else in `../shared/truth`.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

ROOT = Path(__file__).parent.parent
FOLDER = Path(os.environ.get("AEVENTS_TRUTH", ROOT.parent / "shared" / "truth")) / "convis"
needs_convis = pytest.mark.skipif(not FOLDER.is_dir(), reason="no truth: set AEVENTS_TRUTH")


def arrays(name: str) -> dict[str, npt.NDArray[np.float64]]:
    """Return the arrays of a case, by name."""
    with np.load(FOLDER / f"{name}.npz") as case:
        return dict(case)
