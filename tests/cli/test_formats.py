"""The list of what is known here."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from aevents import registry
from aevents.cli.main import execute
from aevents.codecs import dat
from aevents.codecs.base import Codec

FOO = Codec(
    "foo", suffixes=(".foo", ".bar"), decoder=dat.DatDecoder, about="what foo cameras write"
)


def test_every_format_of_the_house_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["formats"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    listed = {line[0]: line for line in lines}
    assert {codec.name for codec in registry.CODECS} <= listed.keys()
    assert listed["evt2"][:6] == ["evt2", ".raw", "yes", "yes", "EventBatch", "TriggerBatch"]
    assert listed["evt2"][-2:] == ["built", "in"]
    assert ["source", "synthetic:", "built", "in"] in lines
    assert ["sink", ".png", "built", "in"] in lines


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
    assert lines[1][:4] == ["foo", ".foo", ".bar", "yes"]
    assert lines[1][4:6] == ["no", "EventBatch"]
    assert ["source", "foo:", "a", "plug-in"] in lines
