"""One conversion: what is kept, what is refused before a byte is written, when it looks first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.cli.conversion import Conversion, Wanted, codec_read, codec_written, convert_one
from aevents.cli.operators import Step
from aevents.cli.reading import Input, Reading
from aevents.codecs.aedat4_write import Aedat4Encoder
from aevents.codecs.csv import CsvEncoder
from aevents.codecs.es import EsEncoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.errors import EncodeError
from aevents.registry import codec
from aevents.testing import encode
from aevents.types import EventBatch, ExposureBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from tests.cli.items import SENSOR, events, exposures, triggers


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("both.raw").write_bytes(
        encode(Evt3Encoder(), [triggers(2_000, 3_000), events(1_000, 2_500, 4_000)])
    )
    Path("wide.csv").write_bytes(encode(CsvEncoder(), [events(5, 7, x=3_000, sensor=Sensor())]))


def convert(source: str, target: str, **wanted: object) -> Conversion:
    conversion = Conversion(source, target, Wanted(**wanted))  # type: ignore[arg-type]  # of one's own
    convert_one(conversion)
    return conversion


def times(name: str, kind: type) -> list[int]:
    return [t for item in aevents.open(name, kind=kind).blocking() for t in item.t.tolist()]


def test_every_kind_that_both_formats_hold_is_kept() -> None:
    conversion = convert("both.raw", "out.raw", format="evt2")
    assert times("out.raw", EventBatch) == [1_000, 2_500, 4_000]
    assert times("out.raw", TriggerBatch) == [2_000, 3_000]
    assert dict(conversion.written.named()) == {"events": 3, "triggers": 2}
    assert b"format EVT2" in Path("out.raw").read_bytes()


def test_frames_are_kept_from_aedat4_to_aedat4() -> None:
    picture = Frame(np.eye(4, dtype=np.uint8), Span(1_500, 1_600), SENSOR, "intensity")
    Path("in.aedat4").write_bytes(encode(Aedat4Encoder(), [events(1_000, 2_500), picture]))
    conversion = convert("in.aedat4", "out.aedat4", zero_time=True)
    (found,) = aevents.open("out.aedat4", kind=Frame).blocking()
    np.testing.assert_array_equal(found.array, picture.array)
    assert found.span == Span(500, 600)
    assert dict(conversion.written.named()) == {"events": 2, "frames": 1}


def test_events_and_triggers_stand_in_order_of_time() -> None:
    convert("both.raw", "out.raw", format="evt2")
    body = np.frombuffer(Path("out.raw").read_bytes().partition(b"% end\n")[2], "<u4")
    assert (body >> 28).tolist() == [8, 1, 8, 10, 8, 1, 8, 10, 8, 1]


def test_kinds_without_room_are_refused_unless_left_out() -> None:
    with pytest.raises(EncodeError, match="and there are 3 events, 2 triggers: --only events"):
        convert("both.raw", "out.csv")
    assert not Path("out.csv").exists()
    convert("both.raw", "out.csv", only=(EventBatch,))
    assert times("out.csv", EventBatch) == [1_000, 2_500, 4_000]
    convert("both.raw", "out.dat", only=(TriggerBatch,))
    assert times("out.dat", TriggerBatch) == [2_000, 3_000]


def test_kinds_that_might_be_there_and_are_not_do_not_matter() -> None:
    Path("in.raw").write_bytes(encode(Evt3Encoder(), [events(1, 2)]))
    convert("in.raw", "out.csv")
    assert times("out.csv", EventBatch) == [1, 2]


def test_a_kind_that_the_source_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="evt3 holds events and triggers, not imu"):
        convert("both.raw", "out.csv", only=(EventBatch, ImuBatch))


def test_a_file_of_nothing_but_kinds_that_are_not_there_is_not_made() -> None:
    Path("in.raw").write_bytes(encode(Evt3Encoder(), [events(1, 2)]))
    with pytest.raises(EncodeError, match="dat: there are no triggers to write"):
        convert("in.raw", "out.dat", only=(TriggerBatch,), zero_time=True)
    assert not Path("out.dat").exists()


def test_values_without_room_are_refused_before_a_byte_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aevents.cli.conversion.deliver", None)
    with pytest.raises(
        EncodeError, match="evt3: columns go up to 3000 and rows to 1, and it holds"
    ):
        convert("wide.csv", "out.raw")
    Path("early.csv").write_bytes(encode(CsvEncoder(), [events(-5, 7)]))
    with pytest.raises(EncodeError, match="evt3: times begin at -5 µs"):
        convert("early.csv", "out.raw")
    assert sorted(path.name for path in Path().iterdir()) == ["both.raw", "early.csv", "wide.csv"]


def test_what_the_formats_settle_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents.cli.conversion.Extent", None)
    convert("both.raw", "out.aedat4", only=(EventBatch,))
    convert("both.raw", "two.raw", format="evt2")
    convert("wide.csv", "out.npy")


def test_the_look_is_at_what_the_operators_leave() -> None:
    convert("wide.csv", "out.raw", steps=[Step("crop", {"x": (2_999, 3_001)})])
    (event, _) = aevents.load("out.raw")
    assert (event.t, event.x) == (5, 1)


def test_times_are_counted_from_the_earliest_of_all_kinds() -> None:
    Path("late.raw").write_bytes(encode(Evt3Encoder(), [triggers(900), events(1_000, 1_500)]))
    convert("late.raw", "out.raw", zero_time=True)
    assert times("out.raw", EventBatch) == [100, 600]
    assert times("out.raw", TriggerBatch) == [0]


def test_exposures_find_room_behind_events() -> None:
    first = encode(EsEncoder(atis=True), [events(1, 2), exposures(5), events(7)])
    Path("in.es").write_bytes(first)
    convert("in.es", "out.es")
    assert times("out.es", EventBatch) == [1, 2, 7]
    assert times("out.es", ExposureBatch) == [5]
    convert("in.es", "all.es", only=(EventBatch, ExposureBatch))
    assert times("all.es", ExposureBatch) == [5]


def test_a_recording_of_nothing_becomes_one_of_nothing() -> None:
    Path("none.raw").write_bytes(encode(Evt3Encoder(), [EventBatch.empty(SENSOR)]))
    convert("none.raw", "none.csv")
    assert Path("none.csv").read_text() == "t,x@64,y@48,p\n"


def test_what_can_be_read_only_once_is_written_at_once() -> None:
    convert("synthetic:bar?duration_us=10000", "out.es")
    assert len(aevents.load("out.es")) == 10_000
    assert codec_read("-", Input()) is None


def test_only_what_is_on_the_sensor_is_kept_on_request() -> None:
    off = EventBatch.from_columns(t=[1, 2], x=[63, 64], y=[1, 1], p=[1, 1], sensor=SENSOR)
    Path("off.raw").write_bytes(encode(Evt3Encoder(), [off]))
    convert("off.raw", "on.raw", on_sensor=True)
    assert times("on.raw", EventBatch) == [1]


def test_a_slice_of_events_alone_begins_where_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step("time_slice", {"start": 2_000, "stop": 4_000})]
    starts = []

    class Witness(Reading[object]):
        def __init__(self, name: str, given: Input, kind: type, *, start: int) -> None:
            starts.append(start)
            super().__init__(name, given, kind, start=start)

    monkeypatch.setattr("aevents.cli.conversion.Reading", Witness)
    convert("both.raw", "out.csv", only=(EventBatch,), steps=steps)
    assert times("out.csv", EventBatch) == [2_500]
    assert {*starts} == {2_000}
    starts.clear()
    convert("both.raw", "out.raw", steps=steps)
    assert times("out.raw", TriggerBatch) == [2_000, 3_000]
    assert {*starts} == {0}  # triggers need not stand where events of their time do


def test_it_says_how_far_it_is() -> None:
    conversion = Conversion("both.raw", "out.csv", Wanted(only=(EventBatch,)))
    assert (conversion.events, conversion.fraction, conversion.doing) == (0, 0.0, "writing")
    convert_one(conversion)
    assert (conversion.events, conversion.fraction) == (3, 1.0)
    assert conversion.seconds > 0
    assert conversion.figures[0] == ("events", 3)
    assert conversion.figures[-1] == ("wrote", "out.csv")
    np.savez("in.npz", t=[1], x=[1], y=[1], p=[1])
    assert Conversion("in.npz", "out.csv", Wanted()).fraction is None


def test_while_it_looks_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    class Extent:
        def __init__(self) -> None:
            said.append(conversion.doing)
            raise ZeroDivisionError

    monkeypatch.setattr("aevents.cli.conversion.Extent", Extent)
    conversion = Conversion("both.raw", "out.csv", Wanted())
    with pytest.raises(ZeroDivisionError):
        convert_one(conversion)
    assert said == ["looking"]


def test_codecs_of_names() -> None:
    assert codec_read("both.raw", Input()) is codec("evt3")
    assert codec_read("both.raw", Input(from_="dat")) is codec("dat")
    assert codec_written("a.raw", "evt2") is codec("evt2")
    assert codec_written("udp://there:1", None) is None
    with pytest.raises(ValueError, match=r"'.what' is no format that can be written here"):
        codec_written("a.what", None)
