"""Many conversions, some at a time, and what is said of them."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

import aevents
from aevents.cli.conversion import Conversion, Wanted
from aevents.cli.many import Many, UnfinishedError, cpus
from aevents.codecs.dat import DatEncoder
from aevents.codecs.evt2 import Evt2Encoder
from aevents.runtime import run
from aevents.testing import encode, example_events
from tests.cli.items import events, triggers

Pairs = list[tuple[Path, Path]]


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    """A good recording, one that holds too much for text, one that is none, one that is there."""
    monkeypatch.chdir(tmp_path)
    Path("good.raw").write_bytes(encode(Evt2Encoder(), [example_events(600)])[:-1])
    Path("full.raw").write_bytes(encode(Evt2Encoder(), [events(1, 2), triggers(1)]))
    Path("bad.dat").write_bytes(b"noise" * 30)
    Path("there.dat").write_bytes(encode(DatEncoder(), [events(1, 2)]))
    Path("out").mkdir()
    Path("out/there.csv").write_text("precious")
    targets = ("out/sub/good.csv", "out/full.csv", "out/bad.csv", "out/there.csv")
    names = ("good.raw", "full.raw", "bad.dat", "there.dat")
    return [(Path(name), Path(target)) for name, target in zip(names, targets, strict=True)]


def test_each_is_done_refused_or_failed(pairs: Pairs, capsys: pytest.CaptureFixture[str]) -> None:
    many = Many(pairs, Wanted(format="csv"), jobs=2)
    run(many.run)
    many.show()
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("good.raw done 599 events, 3 torn_bytes full.raw refused csv: it holds ")
    assert "there are 2 events, 1 triggers: --only events bad.dat failed bad.dat begins with" in out
    assert out.endswith("there.dat refused out/there.csv exists: --force overwrites it")
    assert len(aevents.load("out/sub/good.csv")) == 599
    assert Path("out/there.csv").read_text() == "precious"
    with pytest.raises(UnfinishedError, match="3 of 4 recordings were not converted"):
        many.refuse_failures()


def test_it_says_how_far_it_is(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    many = Many(pairs[:1], Wanted(format="csv"), jobs=1)
    seen: list[tuple[int, float, str]] = []
    whole = Conversion.run

    async def watched(self: Conversion) -> None:
        await whole(self)
        seen.append((many.events, many.fraction, many.doing))

    monkeypatch.setattr(Conversion, "run", watched)
    run(many.run)
    assert seen == [(599, 1.0, "0 of 1 files")]
    assert (many.events, many.fraction, many.doing) == (599, 1.0, "1 of 1 files")
    assert many.seconds > 0
    many.refuse_failures()


def test_so_many_run_at_a_time(pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    most = running = 0

    async def slow(_self: Conversion) -> None:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await anyio.lowlevel.checkpoint()
        running -= 1

    monkeypatch.setattr(Conversion, "run", slow)
    good = [(pairs[0][0], Path(f"out/{number}.csv")) for number in range(7)]
    run(Many(good, Wanted(format="csv"), jobs=3).run)
    assert most == 3


def test_what_was_not_finished_is_said_to_be_left(
    pairs: Pairs, capsys: pytest.CaptureFixture[str]
) -> None:
    Many(pairs[:1], Wanted(format="csv"), jobs=1).show()
    assert capsys.readouterr().out.split()[:2] == ["good.raw", "left"]


def test_there_is_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= cpus() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cpus() == os.cpu_count()
