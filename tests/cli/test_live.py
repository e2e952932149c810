"""A run from end to end: processes that stream into each other live, and what is said meanwhile."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import aevents
from aevents.cli.live import Live, Pace, Target
from aevents.cli.main import execute
from aevents.cli.operators import Step
from aevents.cli.reading import Input
from aevents.codecs.base import Codec
from aevents.codecs.evt2 import Evt2Decoder, Evt2Encoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.registry import codecs
from aevents.testing import encode, example_events
from aevents.types import EventBatch, Sensor

Start = Callable[..., "subprocess.Popen[bytes]"]

STREAMING = [
    one.name
    for one in codecs()
    if one.encoder and not one.goes_back and EventBatch in one.kinds and one.name != "npz"
]
"""Formats that come out of a pipe as they go in; an archive is written at its end."""
BACK = [one for one in codecs() if one.encoder and one.goes_back]


@pytest.fixture(autouse=True)
def _here(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recording.parent)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("format", STREAMING)
def test_what_goes_into_one_process_comes_out_of_the_next_at_once(
    format: str, start: Start
) -> None:
    events = example_events(300, sensor=Sensor(200, 180))
    encoder, decoder = Evt2Encoder(), Evt2Decoder()
    decoder.hurry()
    with (
        start(
            "run", "--from", "evt2", "-", "--to", "-", "--format", format, stdin=subprocess.PIPE
        ) as first,
        start(
            "run", "--from", format, "-", "--to", "-", "--format", "evt2", stdin=first.stdout
        ) as second,
    ):
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdout.close()  # it is the second's alone
        for part in (events[:100], events[100:101], events[101:]):
            first.stdin.write(b"".join(encoder.feed(part)))
            first.stdin.flush()
            assert list(take(second, decoder, len(part))) == list(part)
        first.stdin.close()
        assert (second.wait(), first.wait()) == (0, 0)


def take(process: subprocess.Popen[bytes], decoder: Evt2Decoder, count: int) -> EventBatch:
    """Return this many events, as soon as they come out of a process."""
    assert process.stdout is not None
    batches: list[EventBatch] = []
    while sum(map(len, batches)) < count:
        data = os.read(process.stdout.fileno(), 1 << 16)
        assert data, "the process ended"
        batches += [batch for batch in decoder.feed(data) if isinstance(batch, EventBatch)]
    return EventBatch.concat(batches)


@pytest.mark.parametrize("codec", BACK, ids=lambda codec: codec.name)
def test_what_needs_a_file_is_refused_before_the_first_byte(codec: Codec, start: Start) -> None:
    with start("run", "in.raw", "--to", "-", "--format", codec.name) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert f"{codec.name} cannot go into standard output".encode() in err


def test_a_terminal_is_not_written_bytes_to(start: Start) -> None:
    terminal, end = os.openpty()
    with start("run", "in.raw", "--to", "-", stdout=end) as process:
        assert process.stderr is not None
        assert b"evt3 is no text for a terminal" in process.stderr.read()
    assert process.returncode == 2
    with start("run", "in.raw", "--take", "1", "--to", "-", "--format", "csv", stdout=end) as shown:
        assert shown.wait() == 0
    os.close(end)
    assert os.read(terminal, 1_000).startswith(b"t,x@320,y@240,p\r\n")
    os.close(terminal)


def test_an_empty_pipe_is_an_empty_input(start: Start) -> None:
    with start("run", "--from", "evt2", "-", "--to", "out.raw") as process:
        _, err = process.communicate()
    assert (process.returncode, err) == (1, b"aevents: evt2: the input is empty\n")
    assert not Path("out.raw").exists()


def test_a_reader_that_leaves_does_not_end_what_is_recorded_beside(start: Start) -> None:
    events = example_events(300_000)  # more than a pipe holds
    Path("long.raw").write_bytes(encode(Evt2Encoder(), [events]))
    with start("run", "long.raw", "--to", "-", "--to", "out.raw") as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"% "
        process.stdout.close()
        assert process.wait() == 0
    assert len(aevents.load("out.raw")) == 300_000


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_whole_files_and_the_figures(number: int, code: int, start: Start) -> None:
    os.mkfifo("b.csv")
    endless = "synthetic:bar?duration_us=0"
    with (
        start("run", endless, "--to", "a.raw", "--to", "b.csv") as process,
        Path("b.csv").open("rb") as pipe,
    ):
        pipe.read(1_000)
        process.send_signal(number)
        rest = pipe.read()
        out, err = process.communicate()
    assert (process.returncode, err) == (code, b"")
    rows = dict(line.split(maxsplit=1) for line in out.decode().splitlines()[:2])
    assert int(rows["events"].replace(",", "")) >= len(aevents.load("a.raw")) > 0
    assert rest.endswith(b"\n")


def test_udp_goes_into_a_file_and_on_to_the_next(start: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"udp://127.0.0.1:{port}"
    received = ["run", f"{url}?size=320x240", "--take", "500", "--to", "out.raw", "--to", "-"]
    with (
        start(*received) as receiver,
        start("play", "in.raw", "--repeat", "forever", "--speed", "50", "--to", url) as player,
    ):
        out, _ = receiver.communicate()
        player.terminate()
        assert player.wait() == 143
    assert receiver.returncode == 0
    assert len(aevents.load("out.raw")) == 500
    Path("piped.raw").write_bytes(out)
    assert list(aevents.load("piped.raw")) == list(aevents.load("out.raw"))


LINE = r"[\d.]+ Mev  in [\d.]+ Mev/s  out [\d.,]+ (Mev|frames)/s  (queue \d+/256  )?lag [\d.]+ ms"


@pytest.mark.parametrize(
    "more", [[], ["--to", "b.raw"], ["--window-count", "9", "--frames", "count"]]
)
def test_a_terminal_sees_how_it_goes(more: list[str], start: Start) -> None:
    terminal, end = os.openpty()
    to = "a.npy"
    arguments = ["run", "--from", "evt2", "-", "--to", to, *more]
    with start(*arguments, stdin=subprocess.PIPE, stderr=end) as process:
        assert process.stdin is not None
        os.close(end)
        process.stdin.write(encode(Evt2Encoder(), [example_events(100)]))
        process.stdin.flush()
        drawn = ""
        while not re.search(LINE, drawn):
            drawn += re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", os.read(terminal, 4_096).decode())
        process.stdin.close()
        while read_on(terminal):
            pass
        assert process.wait() == 0
    os.close(terminal)


def read_on(terminal: int) -> bytes:
    """Return what a process has still said; nothing when it has ended."""
    try:
        return os.read(terminal, 4_096)
    except OSError:
        return b""


def test_a_log_has_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("aevents.cli.progress.REFRESH_SECONDS", 0.0)
    monkeypatch.setattr("aevents.cli.progress.LOG_SECONDS", 0.0)
    assert execute(["run", "in.raw", "--to", "a.raw"]) == 0
    out, err = capsys.readouterr()
    assert all(re.fullmatch(LINE, line) for line in err.splitlines())
    assert len(err.splitlines()) > 0
    assert out.startswith("events ")
    assert execute(["run", "in.raw", "--quiet", "--to", "b.raw"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def torn() -> Live:
    """A run of a recording that lacks its last byte, and of a whole one."""
    Path("torn.raw").write_bytes(encode(Evt3Encoder(), [example_events(600)])[:-1])
    return Live(["torn.raw", "in.raw"], [], Target(["a.raw", "-"], "dat"), Input())


def test_each_source_has_a_row_and_losses_are_in_the_line(
    torn: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["run", "torn.raw", "in.raw", "--polarity", "on", "--to", "a.raw"]
    assert execute(line) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    names = [row[0] for row in rows]
    assert names == ["torn.raw", "in.raw", "events", "speed", "events", "torn_bytes", "wrote"]
    assert rows[1][1:] == ["600", "events"]
    assert rows[4][1] == "out"
    assert torn.line(0.0125).startswith(
        "0.0 Mev  in 0.0 Mev/s  out 0.0 Mev/s  queue 0/256  lag 12.5 ms"
    )


class Busy:
    """Outputs that have lost something."""

    report = aevents.Report(5, 70, {"torn_bytes": 3, "late_events": 9})
    fullest = (0, 0)

    def drops(self) -> list[tuple[str, str, int]]:
        return [("-", "queue_dropped_events", 4), ("udp://a:1", "queue_dropped_events", 5)]


def test_what_is_lost_is_told_by_its_cause(torn: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torn, "outputs", Busy())
    assert torn.line(0).endswith("lag 0.0 ms  torn_bytes 3  queue_dropped_events 9")
    told = dict(torn.rows)
    assert (told["late_events"], told["events out"]) == (9, 70)
    assert [value for name, value in torn.rows if name == "queue_dropped_events"] == [
        "4 (-)",
        "5 (udp://a:1)",
    ]


def test_speeds_are_those_of_the_last_second(torn: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 2.5, 4.0])
    begun = torn._started
    monkeypatch.setattr("aevents.cli.live.time.perf_counter", lambda: begun + next(clock))
    census, some = torn.inputs.readings[0].census, example_events(200_000)
    said = []
    for count in (0, 200_000, 150_000, 0):
        census.feed(some[:count])
        said.append(torn.line(0).split("  ")[1])
    assert said == ["in 0.0 Mev/s", "in 0.2 Mev/s", "in 0.1 Mev/s", "in 0.0 Mev/s"]


def test_a_pace_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step("take", {"count": 5})]
    live = Live(["in.raw"], steps, Target(["a.raw"], quiet=True), Input(), Pace(1e6, repeat=3))
    live.run()
    assert len(aevents.load("a.raw")) == 20


def test_a_video_is_told_its_options_behind_its_name(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--window-us", "2000", "--frames", "signed", "--take", "3"]
    names = ["--to", "a.gif?speed=0.05&timecode=1", "--to", "a_{}.png?zoom=2"]
    assert execute(["run", str(recording), *words, *names]) == 0
    assert {path.name for path in Path().iterdir()} == {
        "in.raw", "a.gif", "a_0.png", "a_1.png", "a_2.png",
    }  # fmt: skip
    assert "wrote    a.gif" in capsys.readouterr().out
    assert execute(["run", str(recording), *words, "--to", "b.gif?speed=none"]) == 2
    assert "b.gif?speed=none: Expected `float" in capsys.readouterr().err
