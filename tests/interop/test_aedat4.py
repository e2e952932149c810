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

from aevents import Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.codecs.aedat4 import CODEC
from aevents.codecs.aedat4_write import Aedat4Encoder, Compression
from aevents.testing import decode, encode, example_events
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
    events = aestream.FileInput(path, (1280, 720)).load()
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


def others() -> tuple[TriggerBatch, ImuBatch, Frame, Frame]:
    """Return what else a file may hold."""
    t, start = np.array([5, 6, 8]), 1_000
    nine = np.arange(27, dtype=np.float32).reshape(3, 9)
    pixels, span = np.arange(72, dtype=np.uint8).reshape(4, 6, 3), Span(start, start + 50)
    return (
        TriggerBatch(t, np.array([0, 0, 4], "u1"), np.array([1, 0, 1], "?"), SENSOR, Span(5, 8)),
        ImuBatch(t, t.astype("f4"), nine[:, :3], nine[:, 3:6], nine[:, 6:], SENSOR, Span(5, 9)),
        Frame(pixels[:, :, 0].copy(), span, SENSOR, "intensity"),
        Frame(pixels, span, SENSOR, "intensity"),
    )


DV = """
import json, sys
import dv_processing as dv
import numpy as np

def write(path):
    config = dv.io.MonoCameraWriter.Config("DVX", dv.CompressionType.LZ4)
    config.addFrameStream((6, 4)); config.addTriggerStream(); config.addImuStream()
    writer = dv.io.MonoCameraWriter(path, config)
    for t, type in ((5, "RISING_EDGE"), (6, "FALLING_EDGE")):
        kind = getattr(dv.TriggerType, "EXTERNAL_SIGNAL_" + type)
        writer.writeTrigger(dv.Trigger(t, kind))
    writer.writeTrigger(dv.Trigger(8, dv.TriggerType.APS_EXPOSURE_START))
    for row, t in enumerate((5, 6, 8)):
        writer.writeImu(dv.IMU(t, t, *range(9 * row, 9 * row + 9)))
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    for image in (pixels[:, :, 0].copy(), pixels[:, :, ::-1].copy()):
        writer.writeFrame(dv.Frame(1000, 50, 0, 0, image, dv.FrameSource.SENSOR))

def read(path):
    recording = dv.io.MonoCameraRecording(path)
    triggers = [(one.timestamp, one.type.name) for one in recording.getNextTriggerBatch()]
    imu = [
        (one.timestamp, one.temperature, one.accelerometerX, one.gyroscopeY, one.magnetometerZ)
        for one in recording.getNextImuBatch()
    ]
    frames = [recording.getNextFrame() for _ in range(2)]
    exposures = [int(one.exposure.total_seconds() * 1e6) for one in frames]
    pictures = [one.image.tolist() for one in frames]
    times = [one.timestamp for one in frames]
    sources = [one.source.name for one in frames]
    print(json.dumps([triggers, imu, times, exposures, sources, pictures]))

globals()[sys.argv[1]](sys.argv[2])
"""


def dv(task: str, path: Path) -> str:
    command = [str(PYTHON), "-c", DV, task, str(path)]
    if subprocess.run([str(PYTHON), "-c", "import dv_processing"], capture_output=True).returncode:
        pytest.skip("dv_processing is not installed")
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_dv_processing_reads_our_triggers_imu_and_frames(
    compression: Compression, tmp_path: Path
) -> None:
    path = tmp_path / "ours.aedat4"
    path.write_bytes(encode(Aedat4Encoder(compression=compression), others()))
    triggers, imu, times, exposures, sources, pictures = json.loads(dv("read", path))
    edges = [f"EXTERNAL_SIGNAL_{edge}_EDGE" for edge in ("RISING", "FALLING")]
    assert triggers == [[5, edges[0]], [6, edges[1]], [8, "APS_EXPOSURE_START"]]
    assert imu == [[5, 5, 0, 4, 8], [6, 6, 9, 13, 17], [8, 8, 18, 22, 26]]
    assert (times, exposures, sources) == ([1_000] * 2, [50] * 2, ["SENSOR"] * 2)
    gray, colour = (frame.array for frame in others()[2:])
    assert pictures == [gray.tolist(), colour[:, :, ::-1].tolist()]


def test_we_read_triggers_imu_and_frames_of_dv_processing(tmp_path: Path) -> None:
    path = tmp_path / "theirs.aedat4"
    dv("write", path)
    found = decode(CODEC, [path.read_bytes()])
    triggers, imu, *frames = others()
    pictures = [item for item in found if isinstance(item, Frame)]
    for picture, frame in zip(pictures, frames, strict=True):
        np.testing.assert_array_equal(picture.array, frame.array)
        assert picture.span == frame.span
    (again,) = (item for item in found if isinstance(item, TriggerBatch))
    for name in ("t", "id", "value"):
        np.testing.assert_array_equal(getattr(again, name), getattr(triggers, name))
    (measured,) = (item for item in found if isinstance(item, ImuBatch))
    for name in ("t", "temperature", "accelerometer", "gyroscope", "magnetometer"):
        np.testing.assert_array_equal(getattr(measured, name), getattr(imu, name))
