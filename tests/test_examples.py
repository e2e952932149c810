"""The programs in `examples` run, and a stranger could read them at a glance."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from blockbuster import BlockBuster

import aevents
from aevents.codecs.evt3 import Evt3Encoder
from aevents.sinks.zmq import ZmqSink
from aevents.testing import encode
from aevents.types import EventBatch, Sensor
from tests.pictures import allow_blocking_runs, camera, film, numbered

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SENSOR = Sensor(320, 240)


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    path = str(ROOT / "examples" / name)
    command = [sys.executable, "-W", "error", path, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(name: str, *arguments: object) -> list[str]:
    """Run an example to its end; return the lines that it printed."""
    with start(name, *arguments) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    return out.splitlines()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """1000 events in each of 1 s, but 10,000 in the third of ten parts of it."""
    t = np.sort(np.concatenate((np.arange(0, 1_000_000, 100), 200_000 + np.arange(100_000))))
    x, y = t % SENSOR.width, t % SENSOR.height
    batch = EventBatch.from_columns(t=t, x=x, y=y, p=x % 2, sensor=SENSOR)
    path = tmp_path / "burst.raw"
    path.write_bytes(encode(Evt3Encoder(), [batch]))
    return path


def test_read_and_window_says_what_happened_in_each(recording: Path) -> None:
    lines = run("read_and_window.py", recording)
    assert len(lines) == 11
    assert lines[0].split() == ["0.000", "s", "1000", "events", "0", "%", "ON"]
    assert lines[2].split()[:3] == ["0.200", "s", "101000"]
    assert lines[-1] == "10 windows, 110000 events"


def test_activity_alarm_tells_of_the_burst(recording: Path) -> None:
    assert run("activity_alarm.py", recording, 100_000) == [
        "0.200 s: ALARM",
        "0.300 s: quiet again",
        "1 alarms after 20 windows",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_activity_alarm_stops_cleanly_when_told_to(number: int) -> None:
    with start("activity_alarm.py", "synthetic:bar?duration_us=0", 100_000) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0.000 s: ALARM\n"
        process.send_signal(number)
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1].startswith("stopped after")


def test_own_operator_writes_pictures_that_fade(recording: Path, tmp_path: Path) -> None:
    assert run("own_operator.py", recording, tmp_path / "faded.npy") == ["100 frames"]
    frames = np.load(tmp_path / "faded.npy")
    assert frames.shape == (100, 240, 320)
    assert 0 <= frames.min() < 0.01
    assert 0.9 < frames.max() <= 1


def test_time_surface_writes_pictures(recording: Path, tmp_path: Path) -> None:
    assert run("time_surface.py", recording, tmp_path / "surface_{:02d}.png") == ["10 pictures"]
    assert len([*tmp_path.glob("surface_*.png")]) == 10


@pytest.mark.timeout(60)
def test_spiking_edges_tells_what_is_upright_from_what_is_level(tmp_path: Path) -> None:
    pictures = tmp_path / "edges_{:02d}.png"
    (line,) = run("spiking_edges.py", "synthetic:bar?duration_us=40000", pictures)
    found = re.fullmatch(r"20 pictures, spikes: (\d+) upright, (\d+) level", line)
    assert found is not None
    assert int(found[1]) > 5 * int(found[2])
    assert len([*tmp_path.glob("edges_*.png")]) == 20


@pytest.mark.timeout(60)
def test_live_tensor_follows_a_bar_that_it_sends_to_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lines = run("live_tensor.py", port, 10)
    assert len(lines) == 10
    found = [re.fullmatch(r"(\d+) events, most in column (\d+)", line) for line in lines]
    assert all(one and int(one[1]) > 0 and int(one[2]) < 640 for one in found)


def test_microphone_has_consumers_of_three_sizes() -> None:
    lines = run("microphone.py", 3)
    levels = [line for line in lines if line.endswith("dB")]
    assert [line.split()[0] for line in levels] == ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]
    assert levels == ["0.0 s: -21.0 dB", *levels[1:]]  # 0.1 and a little more, as a sine
    pitches = [line for line in lines if line.endswith("Hz")]
    clips = [line for line in pitches if line.endswith(" 646 Hz")]
    assert clips == ["0.0 s: 646 Hz", "2.0 s: 646 Hz"]  # the highest tone of a second lasts
    assert len(pitches) == 3 * 48_000 // 8_192 + len(clips)


def test_watch_film_keeps_what_moves(tmp_path: Path) -> None:
    pictures = [numbered(0)] * 10 + [numbered(10 * number) for number in range(8)]
    path = film(tmp_path / "in.avi", pictures + [numbered(70)] * 10)
    assert run("watch_film.py", path, tmp_path / "out.mp4") == ["7 frames moved, 0 gaps"]
    moving = [*aevents.video(tmp_path / "out.mp4", colour="r").blocking()]
    assert [round(int(frame.array[9, 9]) / 30) for frame in moving] == [1, 2, 3, 4, 5, 6, 7]


async def test_watch_film_sees_a_camera_and_leaves_a_whole_video(
    tmp_path: Path, blockbuster: BlockBuster
) -> None:
    allow_blocking_runs(blockbuster)
    async with camera() as one:
        with start("watch_film.py", one.url, tmp_path / "out.mp4") as process:
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if (tmp_path / "out.mp4").exists():
                    break
            await asyncio.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, err = await asyncio.to_thread(process.communicate)
    assert "KeyboardInterrupt" in err, out
    assert len([*aevents.video(tmp_path / "out.mp4").blocking()]) > 3


def test_saccades_writes_pictures_of_digits(tmp_path: Path) -> None:
    images, labels = np.full((3, 28, 28), 200, np.uint8), np.arange(3, dtype=np.uint8)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        shape = np.array(array.shape, ">u4").tobytes()
        data = bytes((0, 0, 8, array.ndim)) + shape + array.tobytes()
        (tmp_path / f"t10k-{name}-ubyte").write_bytes(data)
    lines = run("saccades.py", tmp_path, tmp_path / "digit_{:03d}.png")
    assert lines == ["labels: 2 1 0", "36 pictures"]
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 36
    assert pictures[0].read_bytes() != pictures[5].read_bytes()


def test_pictures_to_events_writes_what_was_seen(tmp_path: Path) -> None:
    events, pictures = run("pictures_to_events.py", tmp_path / "seen_{:02d}.png")
    assert (events.endswith("% ON"), pictures) == (True, "9 pictures")
    assert len([*tmp_path.glob("seen_*.png")]) == 9


def test_watch_models_writes_what_they_say_and_draws_it(recording: Path, tmp_path: Path) -> None:
    lines, pictures = tmp_path / "results.jsonl", tmp_path / "seen.npy"
    assert run("watch_models.py", recording, lines, pictures) == ["13 results"]
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [one["value"] for one in found if one["model"] == "activity"][:3] == [1e3, 1e3, 101e3]
    assert [one["frames_used"] for one in found if one["model"] == "motion"] == [
        [1, 4], [3, 6], [5, 8]
    ]  # fmt: skip
    assert np.load(pictures).shape == (10, 240, 320)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_udp_relay_sends_on_a_region_and_stops_cleanly(number: int) -> None:
    event = bytes.fromhex("08001980")  # x 25, y 8
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken,
    ):
        target.bind(("127.0.0.1", 0))
        target.settimeout(10)
        taken.bind(("::1", 0))
        port = taken.getsockname()[1]
        taken.close()
        to = f"udp://127.0.0.1:{target.getsockname()[1]}"
        with start("udp_relay.py", f"udp://[::1]:{port}?size=640x480", to, 320, 240) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "listening\n"
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as there:
                there.sendto(event + bytes.fromhex("08004081") + event, ("::1", port))
            assert target.recv(100) == 2 * event
            process.send_signal(number)
            out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "2 events, 0 datagrams dropped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_zmq_watch_says_what_comes_and_stops_cleanly(number: int) -> None:
    sink = aevents.create("zmq+tcp://127.0.0.1:*?subscribers=1")
    batch = EventBatch.from_columns(t=[1, 2], x=[0, 1], y=[0, 1], p=[0, 1], sensor=SENSOR)
    with start("zmq_watch.py", f"zmq+{cast('ZmqSink', sink).endpoint}") as process:
        assert process.stdout is not None
        await sink.write(batch)
        await sink.aclose()
        while process.stdout.readline() != "unnamed 2; lost: 0\n":
            pass
        process.send_signal(number)
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "unnamed 2; lost: 0"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert path.read_text().count("\n") < 60
