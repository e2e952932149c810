"""AEStream at the other end of the wire: what it sends we receive, what we send it receives.

It lives in the environment of the other peers (`make .venv-peers/.installed`); `AEVENTS_PEERS` is
its Python, if it stands elsewhere. Its faults, as of 0.6.4:

    with timestamps, the last datagram is twice as long as it should be: the rest is stale memory
    its receiver cuts datagrams off at 512 bytes, takes timestamps for events, and writes outside of
    its frame for events that lie there
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor
from aevents.testing import assert_same_events, example_events

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
COMMAND = PYTHON.parent / "aestream"
SENSOR = Sensor(346, 260)

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(not COMMAND.exists(), reason=f"no {COMMAND}: make .venv-peers/.installed"),
]

RECEIVE = """
import hashlib, json, sys
import numpy as np
from aestream import UDPInput
with UDPInput((346, 260), device="cpu", port=int(sys.argv[1])) as source:
    sys.stdin.readline()
    frame = np.asarray(source.read()).astype("<u4")
print(json.dumps([frame.shape, int(frame.sum()), hashlib.sha256(frame.tobytes()).hexdigest()]))
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def from_aestream(
    events: EventBatch, folder: Path, *options: str
) -> tuple[list[EventBatch], dict[str, int]]:
    """Let AEStream send a file; return what comes, and what was odd about it."""
    path, port = folder / "events.aedat4", free_port()
    await aevents.from_array(np.asarray(events), SENSOR).to(str(path))
    got: list[EventBatch] = []
    async with aevents.open(f"udp://127.0.0.1:{port}?size=346x260").open() as batches:
        sender = await asyncio.create_subprocess_exec(
            COMMAND, "input", "file", path, "output", "udp", "127.0.0.1", str(port), *options,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert await sender.wait() == 0
        while sum(map(len, got)) < len(events):
            got.append(await anext(batches))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(batches), 0.1)
        return got, dict(batches.report.anomalies)


@pytest.mark.parametrize("count", [10_000, 10_005, 9_984])
async def test_we_receive_the_events_of_a_file(tmp_path: Path, count: int) -> None:
    events = example_events(count, sensor=SENSOR)
    got, odd = await from_aestream(events, tmp_path)
    one = EventBatch.concat(got)
    assert (np.diff(one.t) >= 0).all()
    at_one_time = EventBatch.from_columns(t=one.t, x=events.x, y=events.y, p=events.p)
    assert_same_events(got, [at_one_time])
    assert odd == {}


@pytest.mark.parametrize("last", [0, 1, 8, 16, 17, 31])
async def test_we_receive_the_events_of_a_file_with_timestamps(tmp_path: Path, last: int) -> None:
    events = example_events(32 * 300 + last, sensor=SENSOR)
    got, odd = await from_aestream(events, tmp_path, "--include-timestamp", "true")
    assert_same_events(got, [events])
    assert odd == ({"stale_bytes": 8 * last} if last else {})


async def test_its_frame_of_what_we_send_is_the_histogram() -> None:
    events, port = example_events(100_000, sensor=SENSOR), free_port()
    receiver = await asyncio.create_subprocess_exec(
        PYTHON, "-c", RECEIVE, str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    await bound(port)
    sink = aevents.create(f"udp://127.0.0.1:{port}?rate=500000")
    await sink.write(events)
    await sink.aclose()
    await asyncio.sleep(0.3)  # it does not say when it has received
    out, _ = await receiver.communicate(b"\n")
    shape, total, digest = json.loads(out)
    counts = np.zeros((346, 260), "<u4")
    np.add.at(counts, (events.x, events.y), 1)
    assert (shape, total) == ([346, 260], len(events))
    assert digest == hashlib.sha256(counts.tobytes()).hexdigest()


async def bound(port: int) -> None:
    """Wait until somebody listens at this port."""
    wanted = f":{port:04X} "
    while wanted not in Path("/proc/net/udp").read_text():  # noqa: ASYNC110, ASYNC240 - it tells nobody
        await asyncio.sleep(0.02)
