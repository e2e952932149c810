"""Other people's drivers, which are not made of libcaer, see in our models of cameras what we see.

neuromorphic-drivers lives in the environment of the other peers (`make .venv-peers/.installed`);
`AEVENTS_PEERS` is its Python, if it stands elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

import aevents
from aevents import EventBatch, Sensor
from aevents.testing import example_events
from aevents.testing.cameras import DAVIS346, EVK3, EVK4, DVXplorer, emulated
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
from neuromorphic_drivers.generated.devices import prophesee_evk3_hd as evk3
chosen = {"configuration": evk3.Configuration()} if "EVK3" in sys.argv else {}
found = []
with nd.open(**chosen) as device:
    for status, packet in device:
        if packet is None:
            continue
        events = getattr(packet, "dvs_events", None)  # of Prophesee's cameras
        if events is None:
            events = getattr(packet, "polarity_events", None)
        if events is not None:
            found.append(events)
        if sum(map(len, found)) >= int(sys.argv[1]):
            break
np.save(sys.argv[2], np.concatenate(found))
"""


def assert_read_by_others(model: InivationModel | EVK4, batch: EventBatch) -> None:
    """Assert that neuromorphic-drivers reads these events, that the model sends."""
    if isinstance(model, InivationModel):
        model.settle_s = 2.0  # on a busy machine it takes so long to begin
    with emulated(model), TemporaryDirectory() as folder:
        file = Path(folder, "events.npy")
        command = [str(PYTHON), "-c", READ, str(len(batch)), str(file), type(model).__name__]
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


@emulated_test
def test_others_read_the_same_events_of_an_evk4() -> None:
    batch = example_events(20_000, sensor=Sensor(1280, 720))
    assert_read_by_others(EVK4([batch], realtime=False), batch)


@emulated_test
def test_others_read_the_same_events_of_an_evk3() -> None:
    batch = example_events(20_000, sensor=Sensor(1280, 720))
    assert_read_by_others(EVK3([batch], realtime=False), batch)


CONFIGURE = """
import neuromorphic_drivers as nd
from neuromorphic_drivers.generated.devices import prophesee_evk4 as evk4
configuration = evk4.Configuration()
configuration.biases.diff_on = 0x70
configuration.x_mask = (2**64 - 256, *[2**64 - 1] * 19)
configuration.y_mask = (2**64 - 256, *[2**64 - 1] * 10, 2**16 - 1)
configuration.rate_limiter = evk4.RateLimiter(200, 4_000)
configuration.enable_external_trigger = False
with nd.open(configuration=configuration) as device:
    for _ in device:
        break
"""
MASKS = [*range(0x2000, 0x20A0, 4), *range(0x4000, 0x4058, 4)]
SAME = [*MASKS, 0x600C, 0x6008, 0x6028, 0x6004, 0x8000, 0x7000, 0x7008, 0x1010]


@emulated_test
async def test_others_set_the_same_registers_of_an_evk4() -> None:
    options: dict[str, Any] = {
        "roi": (0, 0, 8, 8),
        "event_rate": 20_000_000,
        "biases": {"bias_diff_on": 10},
    }
    with emulated(EVK4([example_events(100, sensor=Sensor(1280, 720))])) as cameras:
        async with aevents.open("usb:", **options).open() as running:
            await anext(running)
        ours = cameras.registers()
        command = [str(PYTHON), "-c", CONFIGURE]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, timeout=50, check=False
        )
        assert done.returncode == 0, done.stderr
        theirs = cameras.registers()
    low = {0x1010: 0xFF}  # the rest is what we keep, of the camera's own
    for at in SAME:
        mask = low.get(at, 0xFFFFFFFF)
        assert ours[0, at] & mask == theirs[0, at] & mask, hex(at)
    bit = 1 << 10  # edges are off
    assert ours[0, 0x7004] & bit == theirs[0, 0x7004] & bit == 0
