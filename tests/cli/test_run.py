"""`aevents run`: operators in order, several sinks, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.cli.main import execute
from aevents.codecs.evt2 import Evt2Encoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.runtime import run
from aevents.testing import encode, example_events
from aevents.types import EventBatch, Frame, Sensor, Span
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def _here(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recording.parent)


def test_every_sink_gets_every_event(
    events: EventBatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", "in.raw", "--to", "a.raw", "--to", "b.dat"]) == 0
    assert list(aevents.load("a.raw")) == list(events)
    assert list(aevents.load("b.dat")) == list(events)
    assert capsys.readouterr().out.split()[-4:] == ["wrote", "a.raw", "wrote", "b.dat"]


def test_operators_apply_in_the_order_written(events: EventBatch) -> None:
    assert execute(["run", "in.raw", "--polarity", "on", "--take", "50", "--to", "a.raw"]) == 0
    assert execute(["run", "in.raw", "--take", "50", "--polarity", "on", "--to", "b.raw"]) == 0
    assert list(aevents.load("a.raw")) == [event for event in events if event.p][:50]
    assert list(aevents.load("b.raw")) == [event for event in events[:50] if event.p]


def test_pictures_are_seen_as_an_event_camera_would_see_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
    frames = [
        Frame(ramp + 30 * k, Span(1000 * k, 1000 * k + 1000), Sensor(8, 8), "intensity")
        for k in range(5)
    ]
    video: aevents.Stream[Frame] = aevents.Stream(
        aevents.Origin("video", blocking=lambda: (one for one in frames))
    )
    run(lambda: video.to(aevents.create("davis.aedat4")))
    line = ["run", "davis.aedat4", "--events", "v2e", "--preset", "ideal"]
    assert execute([*line, "--polarity", "on", "--to", "seen.aedat4"]) == 0
    found = aevents.load("seen.aedat4")
    expected = next(video.events(preset="ideal").window(duration_us=10_000).blocking())
    assert list(found) == list(expected)
    assert f"events   {len(expected)} " in capsys.readouterr().out
    assert execute(["run", "davis.aedat4", "--preset", "ideal", "--to", "no.raw"]) == 2
    assert "--preset: of no use without --events" in capsys.readouterr().err


def test_some_of_a_live_source_is_kept_by_take() -> None:
    assert execute(["run", "synthetic:bar?duration_us=0", "--take", "50", "--to", "a.raw"]) == 0
    assert len(aevents.load("a.raw")) == 50


def test_the_table_counts_windows(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "in.raw", "--window-count", "250", "--to", "a.raw"]) == 0
    assert "windows   3 " in capsys.readouterr().out
    line = ["run", "in.raw", "--window-count", "250", "--no-partial", "--to", "b.raw"]
    assert execute(line) == 0
    assert "windows   2 " in capsys.readouterr().out


def test_frames_are_stacked_into_one_array(
    events: EventBatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["run", "in.raw", "--window-us", "100000", "--frames", "signed", "--to", "out.npy"]
    assert execute(line) == 0
    frames = np.load("out.npy")
    windows = int(events.t[-1] - events.t[0]) // 100_000 + 1
    assert frames.shape == (windows, 240, 320)
    assert frames.dtype == np.float32
    assert frames.sum() == 2 * int(events.p.sum()) - 600
    assert f"frames   {windows} " in capsys.readouterr().out


def test_a_window_that_ends_within_the_recording_can_be_left_out() -> None:
    line = ["run", "in.raw", "--window-count", "400", "--frames", "count", "--to", "out.npy"]
    assert execute([*line, "--no-partial", "--dtype", "uint8", "--axes", "xy"]) == 0
    frames = np.load("out.npy")
    assert (frames.shape, frames.dtype) == ((1, 320, 240), np.uint8)
    assert frames.sum() == 400


def test_format_goes_to_the_outputs_that_it_fits() -> None:
    line = ["run", "in.raw", "--to", "a.raw", "--to", "b.dat", "--format", "evt2"]
    assert execute(line) == 0
    assert b"format EVT2" in Path("a.raw").read_bytes()
    assert b"Version 2" in Path("b.dat").read_bytes()


REFUSED = [
    ("in.raw --to in.raw", "in.raw is the source itself"),
    ("in.raw --to a.raw --to a.raw", "two outputs have the same name"),
    ("in.raw --to a.png", "a.png holds frames"),
    ("in.raw --frames count --to a.raw", "a.raw holds events"),
    ("in.raw --frames count --to -", "- holds events"),
    ("in.raw --frames count --crop 0,0,1,1 --to a.npy", "write it before --frames"),
    ("in.raw --to a.dat --format evt2", "--format evt2 does not go with a.dat"),
]


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_touched(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("in.raw").read_bytes()
    assert execute(["run", *line.split()]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["in.raw"]
    assert Path("in.raw").read_bytes() == before


def test_a_source_that_fails_at_once_leaves_the_outputs_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty.raw").touch()
    Path("a.raw").write_bytes(b"precious")
    assert execute(["run", "empty.raw", "--to", "a.raw"]) == 1
    assert capsys.readouterr().err == "aevents: empty.raw: the input is empty\n"
    assert Path("a.raw").read_bytes() == b"precious"


def test_one_process_hands_on_to_the_next(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    with (
        start("run", "in.raw", "--take", "500", "--to", "-") as first,
        start("info", "-", "--json", stdin=first.stdout) as second,
    ):
        said, _ = second.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert json.loads(said)["events"] == 500


def test_one_process_sends_to_another_over_zeromq(
    start: Callable[..., subprocess.Popen[bytes]], events: EventBatch
) -> None:
    address = "zmq+ipc://socket"
    with (
        start("run", address, "--take", "600", "--to", "out.raw") as receiver,
        start("run", "in.raw", "--to", f"{address}?subscribers=1&packing=lz4") as sender,
    ):
        received, _ = receiver.communicate()
        sent, _ = sender.communicate()
    assert (receiver.returncode, sender.returncode) == (0, 0)
    assert received.split()[:2] == sent.split()[:2] == [b"events", b"600"]
    assert list(aevents.load("out.raw")) == list(events)


def test_figures_go_to_standard_error_when_events_go_to_standard_output(
    cli: Cli, events: EventBatch
) -> None:
    ended = cli("run", "in.raw", "--to", "-")
    assert ended.stdout == encode(Evt3Encoder(), [events])
    assert ended.stderr.split()[:2] == [b"events", b"600"]
    assert b"wrote" not in ended.stderr


def test_ctrl_c_leaves_whole_files_and_the_figures_so_far(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    events = example_events(15_000)
    given = encode(Evt2Encoder(), [events])
    # enough to be recognised, and so little that it goes in while nobody reads what comes out
    assert 65_536 < len(given) < 131_072
    with start("run", "-", "--to", "out.raw", "--to", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(given)
        process.stdin.flush()
        assert process.stdout.read(2) == b"% "  # so out.raw, the first sink, has its first batch
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    written = list(aevents.load("out.raw"))
    assert written == list(events[: len(written)])
    assert 0 < len(written) <= len(events)
    assert (b"% " + out).startswith(b"% ")
    name, count, *_ = err.split()
    assert name == b"events"
    assert int(count.replace(b",", b"")) >= len(written)


def test_ctrl_c_prints_the_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_main: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aevents.cli.live.run", interrupted)
    assert execute(["run", "in.raw", "--to", "a.raw"]) == 130
    assert capsys.readouterr().out.split()[:2] == ["events", "0"]


def test_ctrl_c_before_the_first_item_makes_no_file(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    given = encode(Evt2Encoder(), [example_events(15_000)])[:60_000]  # too little to recognise
    with start("run", "-", "--to", "out.raw", stdin=subprocess.PIPE, pipesize=4096) as process:
        assert process.stdin is not None
        process.stdin.write(given)  # more than this pipe holds: the run is under way
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert not (tmp_path / "out.raw").exists()


PIPELINE = """
open = "in.raw"
steps = [{ window = { count = 100 } }, { frames = "count" }]
to = "results.jsonl"
infer = { models = { brightness = "beside:brightness" } }
"""


def test_a_pipeline_is_run_with_the_modules_beside_it(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    (tmp_path / "beside.py").write_text("def brightness(frame): return float(frame.array.sum())\n")
    done = cli("run", "pipeline.toml")
    assert done.stderr == b""
    assert done.stdout.split() == [b"results", b"6", b"wrote", b"results.jsonl"]
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [100.0] * 6


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ("def brightness(frame): raise ValueError('too dark')", "ValueError: too dark"),
        ("def brightness(frame): return frame.light", "'Frame' object has no attribute 'light'"),
        ("class brightness:\n def init(self): 1 / 0\n def run(self, frame): ...", "ZeroDivision"),
    ],
)
@pytest.mark.parametrize("where", ["thread", "process"])
def test_an_error_of_a_model_names_the_model(
    where: str, beside: str, told: str, tmp_path: Path, cli: Cli
) -> None:
    settings = f'on_error = "raise", where = "{where}", models'
    (tmp_path / "pipeline.toml").write_text(PIPELINE.replace("models", settings))
    (tmp_path / "beside.py").write_text(beside)
    done = cli("run", "pipeline.toml")
    assert done.returncode == 1
    assert told in done.stderr.decode()
    by = "(raised by the model brightness; AEVENTS_DEBUG=1 shows where)\n"
    assert done.stderr.decode().endswith(by)


def test_an_error_of_a_model_that_cannot_be_made_names_it(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    (tmp_path / "beside.py").write_text(
        "class brightness:\n def __init__(self): open('weights')\n def run(self, frame): ..."
    )
    done = cli("run", "pipeline.toml")
    assert done.returncode == 1
    assert done.stderr.startswith(b"aevents: FileNotFoundError: weights: No such file")
    assert b"(raised by the model beside:brightness;" in done.stderr


def test_a_pipeline_says_all_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pipeline.toml").write_text(PIPELINE)
    assert execute(["run", "pipeline.toml", "--to", "a.raw"]) == 2
    assert execute(["run", "pipeline.toml", "--polarity", "on"]) == 2
    assert execute(["run", "in.raw", "pipeline.toml"]) == 2
    assert capsys.readouterr().err.count("a pipeline stands by itself") == 3
    Path("pipeline.toml").write_text("opne = 5")
    assert execute(["run", "pipeline.toml"]) == 2
    assert "unknown field `opne`" in capsys.readouterr().err
    assert execute(["run", "none.toml"]) == 1
