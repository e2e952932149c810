"""The list of what is known here."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from aevents import registry
from aevents.cli.formats import table
from aevents.cli.main import execute
from aevents.codecs import dat
from aevents.codecs.base import Codec

FOO = Codec(
    "foo",
    suffixes=(".foo", ".bar"),
    decoder=dat.DatDecoder,
    about="what foo cameras write (.foo)",
    seekable=True,
    extra="foos",
    unverified="all of it",
)
SUPPORT = Path(__file__).parents[2] / "docs" / "reference" / "support.md"


def test_every_format_of_the_house_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["formats"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    listed = {line[0]: line for line in lines}
    assert {codec.name for codec in registry.CODECS} <= listed.keys()
    assert listed["evt2"][:6] == ["evt2", ".raw", "events,", "triggers", "events,", "triggers"]
    assert listed["evt2"][-2:] == ["built", "in"]
    assert listed["dat"][2:7] == ["events,", "triggers", "events;", "or", "triggers"]
    assert listed["aedat3"][2:8] == ["events,", "triggers,", "imu,", "frames", "no", "yes"]
    assert ["source", "synthetic:", "built", "in"] in lines
    assert ["sink", ".png", "built", "in"] in lines
    assert ["sink", ".mp4", "video", "built", "in"] in lines


def test_plug_ins_are_listed_with_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def plugins(what: str) -> list[EntryPoint]:
        values = {"codecs": f"{__name__}:FOO", "sources": "foo.camera:open_url"}
        return [EntryPoint("foo", values[what], what)] if what in values else []

    monkeypatch.setattr(registry, "plugins", plugins)
    monkeypatch.setattr(registry, "codecs", lambda: [FOO])
    assert execute(["formats"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    row = ["foo", ".foo", ".bar", "events", "no", "yes", "foos", "what", "foo", "cameras", "write"]
    assert lines[1][: len(row)] == row
    assert ["source", "foo:", "a", "plug-in"] in lines


def test_the_page_of_what_is_supported_has_the_table_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(["formats", "--markdown"]) == 0
    made = capsys.readouterr().out
    assert f"\n\n{made}\n" in SUPPORT.read_text(), "write it: python -m aevents formats --markdown"


def test_the_table_says_what_is_needed_and_what_nobody_has_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "CODECS", (FOO,))
    assert table().splitlines()[2] == (
        "| `foo` | what foo cameras write | `.foo` `.bar` | events | no | yes | `aevents[foos]` "
        "| all of it |"
    )
