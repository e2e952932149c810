"""Items as words, written out; that libcaer reads them so is tested in tests/cameras."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.testing.cameras.words import DavisWording, DvxWording, Said, Wording


def said(wording: Wording, *items: Said) -> str:
    return " ".join(f"{word:04x}" for item in items for word in wording.feed(item).tolist())


def events(*rows: tuple[int, int, int, int]) -> EventBatch:
    t, x, y, p = zip(*rows, strict=True)
    return EventBatch.from_columns(t=t, x=x, y=y, p=p)


def edge(t: int, rising: bool) -> TriggerBatch:
    value = np.array([rising])
    return TriggerBatch(np.array([t]), np.zeros(1, np.uint8), value, Sensor(), Span(t, t + 1))


def test_an_event_of_a_dvxplorer_is_time_column_group_and_row() -> None:
    assert said(DvxWording(), events((5, 3, 17, 1))) == "8005 1003 4002 3002"
    assert said(DvxWording(), events((5, 3, 17, 0))) == "8005 1003 4002 3102"


def test_what_stays_the_same_is_not_said_again() -> None:
    wording = DvxWording()
    assert said(wording, events((5, 3, 17, 1))) == "8005 1003 4002 3002"
    assert said(wording, events((5, 3, 16, 1), (6, 4, 23, 0))) == "3001 8006 1004 3180"


def test_rows_of_a_group_in_ascending_order_are_one_word() -> None:
    assert said(DvxWording(), events(*((9, 0, y, 1) for y in range(8)))) == "8009 1000 4000 30ff"
    assert said(DvxWording(), events((9, 0, 1, 1), (9, 0, 0, 1), (9, 0, 2, 1))) == (
        "8009 1000 4000 3002 3005"
    )


def test_an_event_of_a_davis_is_time_row_and_column() -> None:
    batch = events((5, 345, 259, 1), (5, 344, 259, 0), (6, 0, 258, 1))
    assert said(DavisWording(), batch) == "8005 1103 3159 2158 8006 1102 3000"


@pytest.mark.parametrize(
    ("t", "words"),
    [
        (0, ""),
        (32_767, "ffff"),
        (32_768, "7001"),
        (32_769, "7001 8001"),
        (5 * 32_768 + 2, "7005 8002"),
        (4_100 * 32_768, "7fff 7005"),
    ],
)
def test_time_wraps_after_15_bits(t: int, words: str) -> None:
    assert said(Wording(), edge(t, True)).removesuffix("0003").strip() == words


def test_events_move_the_time_likewise() -> None:
    assert said(DavisWording(), events((32_768, 0, 0, 1), (98_307, 0, 0, 1))) == (
        "7001 1000 3000 7002 8003 3000"
    )


def test_edges() -> None:
    assert said(Wording(), edge(1, True), edge(1, False)) == "8001 0003 0002"


def test_a_measurement_is_seven_numbers_of_two_bytes() -> None:
    batch = ImuBatch(
        np.array([7]),
        np.array([24], np.float32),
        np.array([[1, 2, -1]], np.float32),
        np.array([[125, 0, 250]], np.float32),
        np.full((1, 3), np.nan, np.float32),
        Sensor(),
        Span(7, 8),
    )
    assert said(DvxWording(), batch) == (
        "8007 0005 53ea 5040 5000 5020 5000 50e0 5000 5002 5000 5000 5000 5020 5000 5040 5000 0007"
    )
    assert said(DavisWording(), batch).startswith("8007 0005 53e5 5020 5000 5040 5000 50e0 5000 50")


def test_a_frame_is_read_twice_column_by_column() -> None:
    array = np.array([[0, 1], [2, 1023]], np.uint16) << 6
    frame = Frame(array, Span(3, 9), Sensor(2, 2), "intensity")
    assert said(DavisWording(), frame) == (
        "8003 0008 5100 5200 5100 5200 5100 5201 5100 5201 000e 8009 000f "
        "000b 43ff 43ff 000d 000b 43ff 43ff 000d "
        "000c 43ff 43fd 000d 000c 43fe 4000 000d 000a"
    )


def test_a_camera_that_sees_nothing_says_the_time() -> None:
    wording = Wording()
    wording.feed(edge(40_000, True))
    assert wording.idle(1).tolist() == [0x7001]
    assert wording.idle(2).tolist() == [0x7002]


@pytest.mark.parametrize(
    "item", [edge(4, True), events((4, 0, 0, 1)), events((6, 0, 0, 1), (5, 0, 0, 1))]
)
def test_time_does_not_go_back(item: Said) -> None:
    wording = DvxWording()
    wording.feed(edge(5, True))
    with pytest.raises(ValueError, match="goes back"):
        wording.feed(item)


def test_long_gaps_in_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="134 s"):
        DvxWording().feed(events((0, 0, 0, 1), (4_096 << 15, 0, 0, 1)))


def test_nothing_is_said_of_no_events() -> None:
    assert said(DvxWording(), EventBatch.empty()) == ""
