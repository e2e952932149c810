"""`aevents convert`: whole files or none, nothing overwritten unasked."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import aevents
from aevents.cli.main import execute
from aevents.codecs.dat import DatEncoder
from aevents.codecs.evt2 import Evt2Encoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode, example_events
from aevents.types import EventBatch, Sensor
from tests.cli.conftest import Cli
from tests.cli.items import events as events_at
from tests.cli.items import triggers


@pytest.fixture(autouse=True)
def _here(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recording.parent)


def test_a_recording_comes_out_in_the_other_format(
    events: EventBatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["convert", "in.raw", "out.dat"]) == 0
    assert Path("out.dat").read_bytes()[:2] == b"% "
    assert list(aevents.load("out.dat", format="dat")) == list(events)
    said = capsys.readouterr().out.split()
    assert said[:2] == ["events", "600"]
    assert said[-2:] == ["wrote", "out.dat"]


def test_format_settles_what_the_suffix_leaves_open() -> None:
    assert execute(["convert", "in.raw", "three.raw"]) == 0
    assert execute(["convert", "in.raw", "two.raw", "--format", "evt2"]) == 0
    assert b"format EVT3" in Path("three.raw").read_bytes()
    assert b"format EVT2" in Path("two.raw").read_bytes()


def test_operators_of_events_apply(events: EventBatch) -> None:
    assert execute(["convert", "in.raw", "out.dat", "--polarity", "off", "--take", "20"]) == 0
    assert list(aevents.load("out.dat")) == [event for event in events if not event.p][:20]


def test_what_exists_is_overwritten_only_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.dat").write_bytes(b"precious")
    assert execute(["convert", "in.raw", "out.dat"]) == 1
    assert capsys.readouterr().err == "aevents: out.dat exists: --force overwrites it\n"
    assert Path("out.dat").read_bytes() == b"precious"
    assert execute(["convert", "in.raw", "out.dat", "--force"]) == 0
    assert len(aevents.load("out.dat")) == 600


def test_a_recording_may_be_converted_in_place(events: EventBatch) -> None:
    assert execute(["convert", "in.raw", "in.raw", "--force", "--format", "evt2"]) == 0
    assert b"format EVT2" in Path("in.raw").read_bytes()
    assert list(aevents.load("in.raw")) == list(events)


def test_a_conversion_that_fails_leaves_everything_as_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wide = EventBatch.from_columns(t=[1], x=[3_000], y=[0], p=[1], sensor=Sensor(4_000, 10))
    Path("wide.dat").write_bytes(encode(aevents.registry.codec("dat").encoder(), [wide]))  # type: ignore[misc]  # it has one
    Path("out.raw").write_bytes(b"precious")
    before = sorted(Path().iterdir())
    assert execute(["convert", "wide.dat", "out.raw", "--force"]) == 1
    assert capsys.readouterr().err.startswith("aevents: evt3: columns go up to 3000 and rows to 0")
    assert Path("out.raw").read_bytes() == b"precious"
    assert sorted(Path().iterdir()) == before


def test_ctrl_c_leaves_no_half_file(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    before = sorted(tmp_path.iterdir())
    with start("convert", "-", "out.raw", stdin=subprocess.PIPE, pipesize=4096) as process:
        assert process.stdin is not None
        process.stdin.write(encode(Evt2Encoder(), [example_events(100_000)]))
        process.stdin.flush()  # this pipe holds 4 KiB: nearly all has been read
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert sorted(tmp_path.iterdir()) == before


def test_a_conversion_that_is_killed_leaves_no_half_file_and_the_next_cleans_up(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]], events: EventBatch
) -> None:
    Path("out.raw").write_bytes(b"precious")
    before = {path.name for path in tmp_path.iterdir()}
    line = ("convert", "-", "out.raw", "--force")
    with start(*line, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(encode(Evt2Encoder(), [example_events(100_000)]))
        process.stdin.flush()
        draft = tmp_path / f".out.aevents-{process.pid}.raw"
        while not (draft.exists() and draft.stat().st_size > 1_000):  # it is in mid-write
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert Path("out.raw").read_bytes() == b"precious"
    assert {path.name for path in tmp_path.iterdir()} == {*before, draft.name}
    assert execute(["convert", "in.raw", "out.raw", "--force"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == before
    assert list(aevents.load("out.raw")) == list(events)


def test_a_pipe_is_refused_where_it_comes_to_what_does_not_fit(cli: Cli) -> None:
    both = encode(Evt3Encoder(), [events_at(1), triggers(2)])
    ended = cli("convert", "-", "out.csv", given=both)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"csv: it holds events, and there are 1 triggers: --only events" in ended.stderr
    assert not Path("out.csv").exists()
    assert cli("convert", "-", "out.csv", "--only", "events", given=both).returncode == 0
    of_triggers = encode(DatEncoder(), [triggers(2)])
    assert cli("convert", "-", "out.dat", given=of_triggers).returncode == 0


def test_many_go_into_a_folder(events: EventBatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("two.raw").write_bytes(encode(Evt2Encoder(), [events]))
    assert execute(["convert", "in.raw", "two.raw", "out", "--format", "dat", "--jobs", "1"]) == 0
    said = capsys.readouterr().out.split("\n")
    assert [line.split() for line in said[:2]] == [
        ["in.raw", "done", "600", "events"],
        ["two.raw", "done", "600", "events"],
    ]
    assert list(aevents.load("out/in.dat")) == list(aevents.load("out/two.dat")) == list(events)


def test_one_that_fails_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.raw").write_bytes(b"noise..." * 20)
    assert execute(["convert", "*.raw", "out/", "--format", "dat"]) == 1
    out, err = capsys.readouterr()
    assert "failed" in out
    assert "which is no format known here" in out
    assert err == "aevents: 1 of 2 recordings were not converted\n"
    assert [path.name for path in Path("out").iterdir()] == ["in.dat"]


def test_ctrl_c_leaves_whole_files_only(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]], events: EventBatch
) -> None:
    os.mkfifo(tmp_path / "pipe.raw")
    silent = os.open(tmp_path / "pipe.raw", os.O_RDWR)
    (tmp_path / "out").mkdir()
    line = ("convert", "in.raw", "pipe.raw", "out", "--format", "dat", "--jobs", "2")
    with start(*line) as process:
        while not (tmp_path / "out" / "in.dat").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    os.close(silent)
    assert process.returncode == 130
    assert [line.split()[:2] for line in out.decode().splitlines()] == [
        ["in.raw", "done"],
        ["pipe.raw", "left"],
    ]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["in.dat"]


WRONG = [
    (["in.raw"], "convert takes a source and a target"),
    (["in.raw", "out/"], "out/ is a folder, which has no suffix: --format NAME says the format"),
    (["in.raw", "out/", "--format", "dat", "--jobs", "0"], "--jobs 0: at least one at a time"),
    (["-", "out/", "--format", "dat"], "- has no name to get in a folder"),
    (["in.raw", "sub/in.raw", "out", "--format", "dat"], "would both become out/in.dat"),
    (["in.raw", "out.dat", "--only", "smells"], "'smells' is none of events, triggers, imu"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("sub").mkdir()
    Path("sub/in.raw").touch()
    assert execute(["convert", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["in.raw", "sub"]


def test_pictures_are_not_made_by_converting(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["convert", "in.raw", "out.png"]) == 2
    assert "aevents run" in capsys.readouterr().err


def test_a_format_against_the_suffix_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["convert", "in.raw", "out.dat", "--format", "evt2"]) == 2
    assert capsys.readouterr().err == "aevents: --format evt2 does not go with out.dat\n"


def test_standard_output_takes_a_recording_and_standard_error_the_figures(
    cli: Cli, events: EventBatch
) -> None:
    ended = cli("convert", "-", "-", "--from", "evt3", given=encode(Evt3Encoder(), [events]))
    assert ended.returncode == 0
    assert ended.stdout == encode(Evt3Encoder(), [events])
    assert ended.stderr.split()[:2] == [b"events", b"600"]
