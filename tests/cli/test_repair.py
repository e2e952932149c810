"""`aevents repair`: the healthy rest, in the same format, and what was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

import aevents
from aevents import registry
from aevents.cli.main import execute
from aevents.codecs.aedat4_write import Aedat4Encoder
from aevents.codecs.dat import DatEncoder
from aevents.codecs.es import EsEncoder
from aevents.codecs.evt2 import Evt2Encoder
from aevents.testing import encode, example_events
from aevents.types import ExposureBatch, Sensor, TriggerBatch
from tests.cli.items import events, exposures, triggers
from tests.recordings import MADE

MANY = example_events(25_000)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    return {name: text.strip() for name, text in (line.split(maxsplit=1) for line in lines)}


def test_what_is_torn_off_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    data = encode(Evt2Encoder(), [MANY])[:-6]
    Path("torn.raw").write_bytes(data)
    assert execute(["repair", "torn.raw", "whole.raw"]) == 0
    line = said(capsys)
    assert line["events"] == "24,998"
    assert line["torn_bytes"] == "2"
    assert line["damage"] == f"torn_bytes at byte {len(data) - 2:,}: 2 bytes"
    assert list(aevents.load("whole.raw", strict=True)) == list(MANY[:24_998])
    assert b"format EVT2" in Path("whole.raw").read_bytes()


def test_a_table_is_made_anew() -> None:
    data = encode(Aedat4Encoder(), [MANY, triggers(50, 60)])
    Path("crashed.aedat4").write_bytes(data[:54] + b"\xff" * 8 + data[62:-3_000])
    assert execute(["repair", "crashed.aedat4", "whole.aedat4"]) == 0
    kept = aevents.load("whole.aedat4", strict=True)
    assert list(kept) == list(MANY[: len(kept)])
    assert len(kept) >= 20_000
    place = int.from_bytes(Path("whole.aedat4").read_bytes()[54:62], "little", signed=True)
    assert 0 < place < Path("whole.aedat4").stat().st_size


def test_all_kinds_are_kept() -> None:
    Path("both.raw").write_bytes(encode(Evt2Encoder(), [triggers(5), events(1, 9)]) + b"\1")
    assert execute(["repair", "both.raw", "whole.raw"]) == 0
    (kept,) = aevents.open("whole.raw", kind=TriggerBatch, strict=True).blocking()
    assert kept.t.tolist() == [5]
    Path("atis.es").write_bytes(encode(EsEncoder(atis=True), [exposures(1), events(2)]))
    assert execute(["repair", "atis.es", "whole.es"]) == 0
    (exposed,) = aevents.open("whole.es", kind=ExposureBatch).blocking()
    assert exposed.t.tolist() == [1]


def test_events_off_the_sensor_are_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("off.dat").write_bytes(
        encode(DatEncoder(), [events(1, 2), events(3, x=64, sensor=Sensor(64, 48))])
    )
    assert execute(["repair", "off.dat", "on.dat"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("events       2")
    assert "left out     1 events off the sensor (--size WIDTHxHEIGHT if it is larger)" in out
    assert [event.t for event in aevents.load("on.dat", strict=True)] == [1, 2]
    assert execute(["repair", "off.dat", "on.dat", "--force", "--size", "65x48"]) == 0
    assert len(aevents.load("on.dat", strict=True)) == 3


def test_what_is_whole_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    Path("well.raw").write_bytes(encode(Evt2Encoder(), [MANY]))
    assert execute(["repair", "well.raw", "copy.raw"]) == 0
    assert said(capsys)["damage"] == "none found"
    assert Path("copy.raw").read_bytes() == Path("well.raw").read_bytes()


def test_in_place_it_is_only_by_force() -> None:
    Path("torn.raw").write_bytes(encode(Evt2Encoder(), [MANY])[:-3])
    assert execute(["repair", "torn.raw", "torn.raw"]) == 1
    assert execute(["repair", "torn.raw", "torn.raw", "--force"]) == 0
    assert len(aevents.load("torn.raw", strict=True)) == 24_999


def test_what_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.aedat").write_bytes(MADE["aedat2"])
    Path("well.raw").write_bytes(encode(Evt2Encoder(), [events(1)]))
    before = sorted(Path().iterdir())
    for arguments, code, reason in (
        (["old.aedat", "new.aedat"], 1, "aedat2: cannot be written: aevents convert writes what"),
        (["well.raw", "new.dat"], 2, "well.raw is evt2: the target ends in .raw, not new.dat"),
        (["none.raw", "new.raw"], 1, "none.raw is no file to repair"),
        (["-", "new.raw"], 1, "- is no file to repair"),
    ):
        assert execute(["repair", *arguments]) == code
        assert reason in capsys.readouterr().err
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("format", ["evt2", "evt21", "evt3", "evt4", "dat"])
def test_what_lies_behind_a_hole_is_kept(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    codec = registry.codec(format)
    assert codec.encoder is not None
    suffix = codec.suffixes[0]
    data = encode(codec.encoder(), [MANY])
    hole = len(data) // 2 | 1
    Path(f"holed{suffix}").write_bytes(data[:hole] + data[hole + 1001 :])
    assert execute(["repair", f"holed{suffix}", f"whole{suffix}"]) == 0
    line = said(capsys)
    assert line["damage"].startswith("skipped_bytes at byte ")
    kept = aevents.load(f"whole{suffix}")
    assert len(kept) > len(MANY) - 1_500
    assert list(kept[:1_000]) == list(MANY[:1_000])
    assert list(kept[-1_000:]) == list(MANY[-1_000:])
