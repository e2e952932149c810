"""Other people's drivers, which are not made of libcaer, see in our models of cameras what we see.

neuromorphic-drivers lives in the environment of the other peers (`make .venv-peers/.installed`);
`AEVENTS_PEERS` is its Python, if it stands elsewhere.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from aevents import EventBatch, Sensor
from aevents.testing import example_events
from aevents.testing.cameras import DAVIS346, DVXplorer, emulated
from aevents.testing.cameras.inivation import InivationModel
from tests.emulated import emulated_test

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason=f"no {PYTHON}: make .venv-peers/.installed"
)

READ = """
import sys, time
import numpy as np
import neuromorphic_drivers as nd
found = []
with nd.open() as device:
    for status, packet in device:
        if packet is not None and packet.polarity_events is not None:
            found.append(packet.polarity_events)
        if sum(map(len, found)) >= int(sys.argv[1]):
            break
np.save(sys.argv[2], np.concatenate(found))
"""


def assert_read_by_others(model: InivationModel, batch: EventBatch) -> None:
    """Assert that neuromorphic-drivers reads these events, that the model sends."""
    model.settle_s = 2.0  # on a busy machine it takes so long to begin
    with emulated(model), TemporaryDirectory() as folder:
        file = Path(folder, "events.npy")
        command = [str(PYTHON), "-c", READ, str(len(batch)), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stderr
        events = np.load(file)
    for name, theirs in (("t", "t"), ("x", "x"), ("y", "y"), ("p", "on")):
        np.testing.assert_array_equal(events[theirs], getattr(batch, name))


@emulated_test
def test_others_read_the_same_events_of_a_dvxplorer() -> None:
    batch = example_events(5_000, sensor=Sensor(640, 480))
    assert_read_by_others(DVXplorer([batch], version=9), batch)  # they want newer firmware


@emulated_test
def test_others_read_the_same_events_of_a_davis() -> None:
    batch = example_events(5_000, sensor=Sensor(346, 260))
    assert_read_by_others(DAVIS346([batch]), batch)
