"""What the plan of the house says a user types, as far as it stands: each snippet runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import Event, EventBatch, ms
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import assert_same_events, encode, example_events
from aevents.types import Frame, Sensor

EVENTS = example_events(5_000, sensor=Sensor(320, 240))
COUNT = 400
DURATION = 50 * ms


@pytest.fixture
def f(tmp_path: Path) -> Path:
    path = tmp_path / "street.raw"
    path.write_bytes(encode(Evt3Encoder(), [EVENTS]))
    return path


async def test_1_simplest_read(f: Path) -> None:
    seen = 0
    async for batch in aevents.open(f):
        assert batch.span.stop >= batch.span.start
        assert batch.x.mean() > 0
        seen += len(batch)
    assert seen == len(EVENTS)


def test_2_no_event_loop_at_all(f: Path) -> None:
    events = aevents.load(f)
    assert len(events) == len(EVENTS)
    windows = list(aevents.open(f).window(duration_us=10 * ms).blocking())
    assert {window.span.duration_us for window in windows} == {10 * ms}


async def test_3_read_all_events(f: Path) -> None:
    blocking = await anyio.to_thread.run_sync(aevents.load, f)
    assert_same_events([await aevents.open(f).collect()], [blocking])


async def test_3_read_all_as_a_frame(f: Path) -> None:
    frame = await aevents.open(f).frames().one()
    blocking = await anyio.to_thread.run_sync(next, aevents.open(f).frames().blocking())
    np.testing.assert_array_equal(frame.array, blocking.array)
    assert frame.array.sum() == len(EVENTS)


@pytest.mark.parametrize("options", [{"count": COUNT}, {"duration_us": DURATION}])
async def test_3_read_in_parts(f: Path, options: dict[str, int]) -> None:
    stream = aevents.open(f).window(**options)  # type: ignore[arg-type]  # one table for both
    parts = await stream.to_list()
    same = await anyio.to_thread.run_sync(list, stream.blocking())
    assert [part.span for part in parts] == [part.span for part in same]
    assert_same_events(parts, same)
    frames = await stream.frames().stack()
    assert frames.shape == (len(parts), 240, 320)
    blocking = await anyio.to_thread.run_sync(list, stream.frames().blocking())
    np.testing.assert_array_equal(frames, np.stack([frame.array for frame in blocking]))


async def test_3_iterate_over_single_events(f: Path) -> None:
    events = [Event(t, x, y, p) async for t, x, y, p in aevents.open(f).each()]
    blocking = await anyio.to_thread.run_sync(aevents.load, f)
    assert events == [Event(t, x, y, p) for t, x, y, p in blocking]


@pytest.mark.parametrize(
    "options",
    [
        {"count": COUNT},
        {"duration_us": DURATION},
        {"duration_us": DURATION, "count": COUNT},
        {"duration_us": DURATION, "hop_us": DURATION // 2},
    ],
)
async def test_3_iterate_over_parts(f: Path, options: dict[str, int]) -> None:
    stream = aevents.open(f).window(**options)  # type: ignore[arg-type]  # one table for all
    windows: list[EventBatch] = [w async for w in stream]
    frames: list[Frame] = [frame async for frame in stream.frames()]
    blocking = await anyio.to_thread.run_sync(list, stream.blocking())
    assert [w.span for w in windows] == [w.span for w in blocking]
    assert [frame.span for frame in frames] == [w.span for w in windows]
    assert [frame.array.sum() for frame in frames] == [len(w) for w in windows]


async def test_9_notebook(f: Path) -> None:
    rec = aevents.open(f).crop(x=(100, 228), y=(60, 188))
    first = await rec.window(count=500).first()
    assert len(first) == 500
    video = await rec.window(duration_us=20 * ms).frames().stack()
    assert video.shape[1:] == (128, 128)


class Polarity:
    """The operator of snippet 14: no base class, no registration."""

    def __init__(self, keep: bool) -> None:
        self.keep = keep

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        return (batch.where(batch.p == self.keep),)

    def flush(self) -> tuple[()]:
        return ()


async def test_14_your_own_operator(f: Path) -> None:
    stateful = await aevents.open(f).through(lambda: Polarity(True)).collect()
    stateless = await aevents.open(f).map(lambda batch: batch.where(batch.p)).collect()
    assert_same_events([stateful], [stateless])
    assert len(stateful) == EVENTS.p.sum()


@pytest.mark.parametrize(
    "arguments",
    [
        "info street.raw",
        "convert street.raw street.dat --crop 0,0,320,240",
        "run street.raw --window-us 10000 --frames signed --to out.npy",
    ],
)
def test_15_command_line(f: Path, arguments: str) -> None:
    command = [sys.executable, "-m", "aevents", *arguments.split()]
    done = subprocess.run(command, cwd=f.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "5,000" in done.stdout
