"""`aevents plot`: pictures of a recording, in files that are valid, and refusals in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from aevents.cli import plot as module
from aevents.cli.main import execute
from aevents.cli.plot import GATHERS, Kind
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode, example_events
from aevents.types import EventBatch, Sensor

MAGIC = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".gif": b"GIF89a"}
STILL_KINDS = [kind for kind in get_args(Kind) if kind != "wiggle"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer pictures of a wiggle, for each takes a while."""
    from aevents.interop import wiggle

    monkeypatch.setattr(wiggle, "PICTURES", 3)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_is_drawn(
    kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "in.raw"
    recording.write_bytes(encode(Evt3Encoder(), [example_events(600, sensor=Sensor(32, 24))]))
    suffix = ".gif" if kind == "wiggle" else ".png"
    target = tmp_path / f"out{suffix}"
    assert execute(["plot", str(recording), "--kind", kind, "--to", str(target)]) == 0
    assert target.read_bytes().startswith(MAGIC[suffix])
    with Image.open(target) as picture:
        assert min(picture.size) > 300
        assert np.asarray(picture.convert("RGB")).std() > 1
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert (lines[0], lines[-1], err) == (["events", "600"], ["wrote", str(target)], "")
    assert files_in(tmp_path) == {"in.raw", target.name}


@pytest.mark.parametrize("suffix", [".svg", ".PDF"])
def test_a_suffix_says_the_format(suffix: str, recording: Path, tmp_path: Path) -> None:
    target = tmp_path / f"rate{suffix}"
    assert execute(["plot", str(recording), "--to", str(target)]) == 0
    assert target.read_bytes().startswith(MAGIC[suffix.lower()])


def test_there_is_something_to_gather_for_each_kind() -> None:
    assert set(GATHERS) == set(get_args(Kind))


def test_operators_and_options_are_heeded(
    recording: Path, events: EventBatch, tmp_path: Path
) -> None:
    target = tmp_path / "raster.svg"
    words = ["--polarity", "on", "--limit", "50", "--kind", "raster", "--to", str(target)]
    assert execute(["plot", str(recording), *words]) == 0
    on = int(np.count_nonzero(events.p))
    shown = -(-on // 8)  # every 8th of some 300
    assert f"<!-- {shown} of {on} events -->" in target.read_text()
    assert "<!-- in.raw: raster -->" in target.read_text()


def test_what_is_there_is_left_unless_forced(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "rate.svg"
    target.write_text("old")
    assert execute(["plot", str(recording), "--to", str(target)]) == 1
    assert "exists: --force overwrites it" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert execute(["plot", str(recording), "--to", str(target), "--force"]) == 0
    assert target.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["in.raw", "--to", "a.jpg"], 2, "a rate is written as .svg, .png, .pdf: a.jpg"),
        (["in.raw", "--to", "a.png", "--kind", "wiggle"], 2, "a wiggle is written as .gif: a.png"),
        (["in.raw", "--to", "a.png", "--kind", "pie"], 2, 'Invalid value "pie"'),
        (["in.raw", "--to", "a.png", "--kind", "cloud", "--limit", "0"], 2, "one event or more"),
        (["in.raw", "--to", "a.png", "--kind", "surface", "--tau-us", "0"], 2, "tau_us is a time"),
        (["in.raw", "--to", "a.png", "--time-slice", ",0"], 2, "in.raw has no events: there is"),
        (["udp://:3333?size=6x4", "--to", "a.png"], 2, "--take N plots the first N events"),
        (["none.raw", "--to", "a.png"], 1, "none.raw: No such file"),
        (["in.raw"], 2, "requires an argument"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: list[str],
    code: int,
    said: str,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(recording.parent)
    assert execute(["plot", *words]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert files_in(recording.parent) == {"in.raw"}


def test_without_matplotlib_it_says_what_to_install(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [one for one in sys.modules if one.startswith("aevents.interop.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("aevents.interop.plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    assert execute(["plot", str(recording), "--to", "a.png"]) == 1
    assert "pip install 'aevents[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "short"),
    [
        ("-", "-"),
        ("some/folder/street.raw", "street.raw"),
        ("synthetic:disk?rate=1e6", "synthetic:disk"),
        ("n" * 50 + ".raw", "n" * 39 + "…"),
    ],
)
def test_titles_have_short_names(file: str, short: str) -> None:
    assert module._short(file) == short


def test_a_live_source_is_plotted_as_far_as_it_is_taken(tmp_path: Path) -> None:
    target = tmp_path / "few.svg"
    source = "synthetic:poisson?rate=1e6&duration_us=100000000"
    assert execute(["plot", source, "--take", "1000", "--to", str(target)]) == 0
    assert target.read_text().startswith("<?xml")
