"""From names to objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import (
    DecodeError,
    EventBatch,
    Frame,
    Origin,
    Sensor,
    Stream,
    TriggerBatch,
    UnknownFormatError,
    registry,
)
from aevents.codecs.evt3 import Evt3Encoder
from aevents.registry import codec, codec_of, codecs, split_url, writer_of
from aevents.testing import encode, example_events

EVENTS = example_events(50, sensor=Sensor(200, 180))  # small enough for every format
EVT3 = encode(Evt3Encoder(), [EVENTS])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "street.raw"
    path.write_bytes(EVT3)
    return path


def test_a_file_is_recognised_by_its_first_bytes_whatever_its_suffix(tmp_path: Path) -> None:
    for name in ("street.raw", "street.dat", "street.csv", "street"):
        path = tmp_path / name
        path.write_bytes(EVT3)
        assert list(aevents.load(path)) == list(EVENTS)
        assert list(aevents.load(str(path))) == list(EVENTS)


async def test_async_and_blocking_read_the_same(recording: Path) -> None:
    batch = await aevents.open(recording).collect()
    blocking = await anyio.to_thread.run_sync(aevents.load, recording)
    assert list(batch) == list(blocking) == list(EVENTS)


def test_the_codec_of_a_file_is_known_without_reading_it(recording: Path, tmp_path: Path) -> None:
    assert codec_of(str(recording)) is codec("evt3")
    for name in ("-", "synthetic:bar", str(tmp_path / "none.raw"), str(tmp_path)):
        assert codec_of(name) is None
    (tmp_path / "noise.raw").write_bytes(b"noise")
    with pytest.raises(UnknownFormatError, match=r"noise.raw begins with b'noise'"):
        codec_of(str(tmp_path / "noise.raw"))


def test_the_codec_to_write_is_known_by_the_suffix_or_by_name() -> None:
    assert writer_of("a.raw") is codec("evt3")
    assert writer_of("a.raw", "evt2") is writer_of("", "evt2") is codec("evt2")
    for name, format in (("a.aedat", None), ("a.what", None), ("a.raw", "aedat3")):
        with pytest.raises(UnknownFormatError, match="is no format that can be written here"):
            writer_of(name, format)


def test_everything_that_a_recording_holds_comes_in_the_order_of_the_file(tmp_path: Path) -> None:
    trigger = np.array([EVENTS.t[0]]), np.zeros(1, np.uint8), np.ones(1, np.bool_)
    triggers = TriggerBatch(*trigger, EVENTS.sensor, EVENTS.span)
    (tmp_path / "both.raw").write_bytes(encode(Evt3Encoder(), [triggers, EVENTS]))
    items = list(aevents.open(tmp_path / "both.raw", kind=object).blocking())
    assert [(type(item), len(item)) for item in items] == [(TriggerBatch, 1), (EventBatch, 50)]  # type: ignore[arg-type]  # batches


def test_a_format_by_name_overrules_what_the_bytes_say(recording: Path) -> None:
    with pytest.raises(DecodeError, match="evt2: the header says EVT3"):
        aevents.load(recording, format="evt2")


def test_a_sensor_given_overrules_the_header(recording: Path) -> None:
    assert aevents.load(recording, sensor=Sensor(1, 1)).sensor == Sensor(1, 1)
    report = aevents.open(recording, sensor=Sensor(1, 1)).blocking()
    assert sum(len(batch) for batch in report) == 50
    assert report.report.anomalies["off_sensor"] > 40


def test_strict_raises_what_would_be_counted(tmp_path: Path) -> None:
    path = tmp_path / "torn.raw"
    path.write_bytes(EVT3[:-1])
    assert len(aevents.load(path)) == 49
    with pytest.raises(aevents.TruncatedError, match="no whole record"):
        aevents.load(path, strict=True)


def test_other_kinds_are_asked_for(recording: Path) -> None:
    assert list(aevents.open(recording, kind=TriggerBatch).blocking()) == []
    with pytest.raises(ValueError, match="evt3 holds EventBatch, TriggerBatch, not Frame"):
        list(aevents.open(recording, kind=Frame).blocking())


@pytest.mark.parametrize(
    ("content", "name", "error", "message"),
    [
        (b"", "empty.raw", DecodeError, "the input is empty"),
        (b"", "empty.dat", DecodeError, "the input is empty"),
        (b"\x89PNG\r\n\x1a\n", "x.raw", UnknownFormatError, "its suffix says evt3 or evt2"),
        (b"\x89PNG\r\n\x1a\n", "x.dat", UnknownFormatError, "its suffix says dat"),
        (b"\x7fELF", "program", UnknownFormatError, "no format known here; known formats: "),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, content: bytes, name: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error, match=message):
        aevents.load(path)


async def test_missing_files_and_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await aevents.open(tmp_path / "nowhere.raw").first()
    with pytest.raises(IsADirectoryError):
        await aevents.open(tmp_path).first()
    with pytest.raises(FileNotFoundError):
        await aevents.create(tmp_path / "no" / "where.raw").write(EVENTS)


def test_unknown_names_are_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match="udp9: is no source known here"):
        aevents.open("udp9://:3333")
    with pytest.raises(UnknownFormatError, match="udp9: is no sink known here"):
        aevents.create("udp9://:3333")
    with pytest.raises(UnknownFormatError, match="no format is called 'evt9'"):
        aevents.open("x.raw", format="evt9")
    with pytest.raises(UnknownFormatError, match=r"'\.xyz' is no format that can be written"):
        aevents.create(tmp_path / "x.xyz")


WRITTEN = [one for one in codecs() if one.encoder and EventBatch in one.kinds]


@pytest.mark.parametrize("one", WRITTEN, ids=lambda one: one.name)
async def test_every_format_is_written_by_its_name_and_read_back(
    one: object, tmp_path: Path
) -> None:
    name = one.name  # type: ignore[attr-defined]  # a codec
    path = tmp_path / "copy.bin"
    await _recorded().to(aevents.create(path, format=name))
    assert list(await aevents.open(path).collect()) == list(EVENTS)


async def test_a_string_is_made_a_sink_by_create(tmp_path: Path) -> None:
    report = await _recorded().to(str(tmp_path / "copy.dat"))
    assert report.events == 50
    assert list(await aevents.open(tmp_path / "copy.dat").collect()) == list(EVENTS)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("street.raw", ("", "street.raw", {})),
        ("/data/a?b.raw", ("", "/data/a?b.raw", {})),
        ("C:/data/a.raw", ("", "C:/data/a.raw", {})),
        ("synthetic:bar", ("synthetic", "bar", {})),
        ("udp://:3333?size=640x480&a=", ("udp", "//:3333", {"size": "640x480", "a": ""})),
    ],
)
def test_the_grammar_of_names(name: str, parts: tuple[str, str, dict[str, str]]) -> None:
    assert split_url(name) == parts


def test_codecs_are_found_by_name() -> None:
    assert codec("evt3").suffixes == (".raw",)
    assert len({one.name for one in codecs()}) == len(codecs())


def test_plugins_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    here = "tests.test_registry"
    groups = {
        "aevents.codecs": [EntryPoint("evt3", "aevents.codecs.evt3:CODEC", "aevents.codecs")],
        "aevents.sources": [EntryPoint("two", f"{here}:open_two", "aevents.sources")],
        "aevents.sinks": [EntryPoint("none", f"{here}:create_none", "aevents.sinks")],
    }
    monkeypatch.setattr(registry, "plugins", lambda what: groups[f"aevents.{what}"])
    codecs.cache_clear()
    try:
        assert [one.name for one in codecs()].count("evt3") == 2
        assert len(next(aevents.open("two:x?n=2").blocking())) == 2
        assert str(aevents.create("none:x?n=2")) == "('x', '2')"
    finally:
        codecs.cache_clear()


def open_two(rest: str, *, sensor: Sensor | None, n: str) -> Origin[EventBatch]:
    return Origin("two", blocking=lambda: (EVENTS[: int(n)] for _ in rest))


def create_none(rest: str, *, n: str) -> tuple[str, str]:
    return rest, n


def test_loading_a_live_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Callable[..., Stream[object]] = lambda *_, **__: Stream(Origin("camera"), endless=True)  # noqa: E731
    monkeypatch.setattr(registry, "open", made)
    with pytest.raises(ValueError, match="a live stream has no end"):
        aevents.load("camera:")


def _recorded() -> Stream[EventBatch]:
    return Stream(Origin("recorded", blocking=lambda: (EVENTS for _ in range(1))))


@pytest.mark.parametrize("format", ["evt2", "evt21", "evt3", "evt4", "dat"])
async def test_a_named_pipe_gives_events_at_once(tmp_path: Path, format: str) -> None:
    pipe, events = tmp_path / "live.pipe", example_events(200, sensor=Sensor(200, 180))
    encoder = codec(format).encoder
    assert encoder is not None
    await anyio.to_thread.run_sync(os.mkfifo, pipe)
    with await anyio.to_thread.run_sync(lambda: pipe.open("r+b", buffering=0)) as writer:
        writer.write(encode(encoder(), [events]))
        async with aevents.open(pipe, format=format).open() as run:
            assert list(await anext(run)) == list(events)


async def test_jsonl_is_where_results_go(tmp_path: Path) -> None:
    sink = aevents.create(tmp_path / "results.jsonl")
    await sink.write(aevents.Result("net", 0, aevents.Span(5, 6), (0,), 0, 0.5, 1, 2, 7))
    assert (tmp_path / "results.jsonl").read_text().endswith('"value":7}\n')  # who follows sees it
    await sink.write({"other": 1})
    await sink.aclose()
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert lines[1] == '{"other":1}'
    other = aevents.create(tmp_path / "results.txt", format="jsonl")
    await other.write(1)
    await other.aclose()
    assert (tmp_path / "results.txt").read_text() == "1\n"
