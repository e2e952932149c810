"""The readers of AEDAT4 of this field read what we write: the same events.

They live in the environment of the other peers: aedat 2.3.0, dv-processing 2.0.4, faery 0.7.1 and
aestream 0.6.4 (without what it depends on), which reads LZ4 only.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from aevents import ImuBatch, Sensor, TriggerBatch
from aevents.codecs.aedat4_write import Aedat4Encoder, Compression
from aevents.testing import encode, example_events
from tests.interop.test_peers import PYTHON, described

SENSOR = Sensor(1280, 720, "DVX")
EVENTS = example_events(25_000, sensor=SENSOR, start_us=1_600_000_000_000_000)

READ = """
import hashlib, json, sys
import numpy as np

def aedat(path):
    import aedat
    parts = [one["events"] for one in aedat.Decoder(path) if "events" in one]
    events = np.concatenate(parts)
    return [events[name] for name in ("t", "x", "y", "on")]

def aestream(path):
    import aestream
    with aestream.FileInput(path, (1280, 720)) as file:
        events = file.load()
    return [events[name] for name in ("timestamp", "x", "y", "polarity")]

def dv_processing(path):
    import dv_processing
    recording, parts = dv_processing.io.MonoCameraRecording(path), []
    while recording.isRunning() and (batch := recording.getNextEventBatch()) is not None:
        parts.append(batch.numpy())
    events = np.concatenate(parts)
    return [events[name] for name in events.dtype.names[:4]]

def faery(path):
    import faery
    events = faery.events_stream_from_file(path).to_array()
    return [events[name] for name in ("t", "x", "y", "on")]

columns = globals()[sys.argv[1]](sys.argv[2])
found = {"count": len(columns[0])}
for name, dtype, column in zip("txyp", ("<i8", "<u2", "<u2", "u1"), columns):
    found[name] = hashlib.sha256(np.asarray(column).astype(dtype).tobytes()).hexdigest()
print(json.dumps(found))
"""
CASES = [
    (peer, compression)
    for peer in ("aedat", "dv_processing", "faery", "aestream")
    for compression in ("none", "lz4", "lz4_high", "zstd", "zstd_high")
    if peer != "aestream" or compression.startswith("lz4")
]

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}"),
]


@pytest.mark.parametrize(("peer", "compression"), CASES)
def test_a_peer_reads_what_we_write(peer: str, compression: Compression, tmp_path: Path) -> None:
    there = subprocess.run([str(PYTHON), "-c", f"import {peer}"], capture_output=True, check=False)
    if there.returncode:
        pytest.skip(f"{peer} is not installed")
    path = tmp_path / "ours.aedat4"
    path.write_bytes(encode(Aedat4Encoder(compression=compression), [EVENTS, *others()]))
    command = [str(PYTHON), "-c", READ, peer, str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == described(EVENTS)


def others() -> tuple[TriggerBatch, ImuBatch]:
    """Return what else a file may hold."""
    t = EVENTS.t[-3:]
    three = np.ones((3, 3), np.float32)
    return (
        TriggerBatch(t, np.zeros(3, np.uint8), np.array([1, 0, 1], np.bool_), SENSOR, EVENTS.span),
        ImuBatch(t, np.ones(3, np.float32), three, three, three, SENSOR, EVENTS.span),
    )
