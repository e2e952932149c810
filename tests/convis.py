"""What convis really gave: arrays, and files of its own, beside the repository.

They are looked for in `$AEVENTS_TRUTH`, else in `../shared/truth`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.truth import CONVIS


def arrays(name: str) -> dict[str, npt.NDArray[np.float64]]:
    """Return the arrays of a case, by name."""
    with np.load(CONVIS / f"{name}.npz") as case:
        return dict(case)
