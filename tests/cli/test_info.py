"""What `aevents info` says of a recording, real ones included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aevents.cli.main import execute
from aevents.codecs.dat import DatEncoder
from aevents.codecs.es import EsEncoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode
from aevents.types import EventBatch, Sensor
from tests.cli.conftest import Cli
from tests.cli.items import colours, triggers
from tests.pictures import film, numbered

FOUR = EventBatch.from_columns(
    t=[1_000, 3_000, 2_000, 2_500],
    x=[1, 2, 3, 4],
    y=[5, 6, 7, 8],
    p=[1, 0, 1, 1],
    sensor=Sensor(64, 48),
)
CHECKSUM = {
    "t": "4a6630fcb591a02249f7b41838256a73ffa387f80434f4032e85072c3ac5df38",
    "x": "ea99f710d9d0b8ba192295c969a63ed7ce8fc5743da20d2057fa2b6d2c404bfb",
    "y": "09f20ab88ee7790b6a5d1595b419be20f2a393901e8c283e8b505fbb6e08f274",
    "p": "52a5c4a10657220cac05c63adfa923c7771c55d868a58ee360eb3d1511985c3e",
}


@pytest.fixture
def four(tmp_path: Path) -> str:
    path = tmp_path / "four.dat"
    path.write_bytes(encode(DatEncoder(), [FOUR]))
    return str(path)


def test_json_is_one_object_with_the_figures(four: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["info", four, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "format": "dat",
        "sensor": {"width": 64, "height": 48},
        "events": 4,
        "on_events": 3,
        "first_us": 1_000,
        "last_us": 2_500,
        "duration_us": 2_000,
        "rate_hz": 2_000.0,
        "others": {},
        "anomalies": {"backward_jumps": 1},
        "damage": [],
    }


def test_checksum_is_of_the_little_endian_arrays(
    four: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["info", four, "--json", "--checksum"]) == 0
    assert json.loads(capsys.readouterr().out)["checksum"] == CHECKSUM


def test_the_table_says_the_same_to_people(four: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["info", four, "--checksum"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    said = {name: value.strip() for name, value in lines}
    assert said["format"] == "dat"
    assert said["sensor"] == "64 x 48"
    assert said["events"] == "4 (3 ON)"
    assert said["times"] == "1,000 to 2,500 µs"
    assert said["duration"] == "0.002000 s"
    assert said["rate"] == "0.002 Mev/s"
    assert said["backward_jumps"] == "1"
    assert said["sha256"].split() == ["p", CHECKSUM["p"]]  # the last of the four


def test_a_recording_without_events_has_no_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.raw"
    path.write_bytes(encode(Evt3Encoder(), []))
    assert execute(["info", str(path), "--json"]) == 0
    assert execute(["info", str(path)]) == 0
    line, *table = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["events"], said["duration_us"]) == (0, 0)
    assert (said["first_us"], said["last_us"], said["rate_hz"]) == (None, None, None)
    assert "sensor     size not known" in " ".join(table)
    assert "times      none" in " ".join(table)
    assert "rate       not known" in " ".join(table)


def test_what_else_there_is_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "both.raw"
    path.write_bytes(encode(Evt3Encoder(), [triggers(900, 950), FOUR]))
    assert execute(["info", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["others"]) == (4, {"triggers": 2})
    assert execute(["info", str(path)]) == 0
    assert ["triggers", "2"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_recording_without_events_is_what_else_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "colours.es"
    path.write_bytes(encode(EsEncoder(), [colours(1, 2, 3)]))
    assert execute(["info", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["others"]) == (0, {"colours": 3})
    assert said["sensor"] == {"width": 64, "height": 48}


def test_a_video_has_the_times_of_its_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = film(tmp_path / "in.avi", [numbered(number) for number in range(6)], 20)
    assert execute(["info", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["first_us"], found["last_us"], found["duration_us"]) == (0, 300_000, 300_000)
    assert (found["events"], found["rate_hz"], found["others"]) == (0, None, {"frames": 6})


def test_damage_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "torn.dat"
    data = encode(DatEncoder(), [FOUR])[:-3]
    path.write_bytes(data)
    assert execute(["info", str(path), "--json"]) == 0
    (place,) = json.loads(capsys.readouterr().out)["damage"]
    assert place == {"what": "torn_bytes", "offset": len(data) - 5, "bytes": 5, "events": 0}
    assert execute(["info", str(path)]) == 0
    assert f"torn_bytes at byte {len(data) - 5}: 5 bytes" in capsys.readouterr().out


def test_size_and_strict_reach_the_decoder(four: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["info", four, "--json", "--size", "4x48"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sensor"] == {"width": 4, "height": 48}
    assert said["anomalies"] == {"backward_jumps": 1, "off_sensor": 1}
    assert execute(["info", four, "--strict"]) == 1
    assert capsys.readouterr().err == "aevents: dat: time goes back at byte 77\n"


def test_standard_input_is_a_recording_too(cli: Cli) -> None:
    ended = cli("info", "-", "--json", given=encode(Evt3Encoder(), [FOUR[:2]]))
    assert ended.returncode == 0
    said = json.loads(ended.stdout)
    assert (said["format"], said["events"]) == ("evt3", 2)


def test_what_never_ends_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["info", "synthetic:bar?duration_us=0"]) == 2
    assert "has no end: aevents run … --take N" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    ["faery_evt2.raw", "expelliarmus_evt3_sample.raw", "openeb_dat.dat", "rpg_txyp.txt"],
)
def test_a_real_recording_is_what_the_truth_says(
    name: str, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.loads((recordings / "truth.json").read_text())[name]
    assert execute(["info", str(recordings / name), "--json", "--checksum"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["format"] == row["format"]
    assert said["sensor"] == {"width": row["width"], "height": row["height"]}
    assert (said["events"], said["on_events"]) == (row["count"], row["on"])
    assert (said["first_us"], said["last_us"]) == (row["t_first"], row["t_last"])
    assert said["duration_us"] == row["t_max"] - row["t_min"]
    assert said["checksum"] == row["sha256"]


def test_a_terminal_is_shown_the_rate_over_time(
    four: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("aevents.cli.info.drawable", lambda: True)
    assert execute(["info", four]) == 0
    [line] = [one for one in capsys.readouterr().out.splitlines() if one.startswith("over time")]
    assert line.split("  ")[-1].strip() == "peak 0.018 Mev/s"
    assert "█" in line
    assert execute(["info", four, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == 4


def test_nothing_is_drawn_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("aevents.cli.info.drawable", lambda: True)
    path = tmp_path / "none.dat"
    path.write_bytes(encode(DatEncoder(), [EventBatch.empty(Sensor(64, 48))]))
    assert execute(["info", str(path)]) == 0
    assert "over time" not in capsys.readouterr().out
