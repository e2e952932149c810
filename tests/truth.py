"""Where what other programs really gave is looked for: `$AEVENTS_TRUTH`, else ../shared/truth."""

from __future__ import annotations

import os
from pathlib import Path

from tests.conftest import ROOT

TRUTH = Path(os.environ.get("AEVENTS_TRUTH", ROOT.parent / "shared" / "truth"))
CONVIS = TRUTH / "convis"
