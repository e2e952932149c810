"""Where what other programs really gave is looked for: `$AEVENTS_TRUTH`, else ../shared/truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT

TRUTH = Path(os.environ.get("AEVENTS_TRUTH", ROOT.parent / "shared" / "truth"))
CONVIS = TRUTH / "convis"
OCYCLE = TRUTH / "ocycle"
STREAM_INFER = TRUTH / "stream_infer"
needs_convis = pytest.mark.skipif(not CONVIS.is_dir(), reason="no truth: set AEVENTS_TRUTH")
