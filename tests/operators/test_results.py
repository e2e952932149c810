"""What a model has said, and how it is drawn on frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from aevents import Annotate, Frame, Result, Sensor, Span, annotate


def frame_of(value: int, start: int = 0) -> Frame:
    array = np.full((2, 3), value, np.uint8)
    array.flags.writeable = False
    return Frame(array, Span(start, start + 10), Sensor(3, 2))


def result_of(model: str, value: object, error: Exception | None = None) -> Result[object]:
    return Result(model, 4, Span(70, 80), (5, 7), 2, 1_000.5, 3, 9, value, error)


def test_a_result_is_written_down_by_name() -> None:
    assert result_of("net", 0.5).t_us == 70
    assert result_of("net", 0.5).record() == {
        "model": "net",
        "index": 4,
        "t_us": 70,
        "wall": 1_000.5,
        "latency_us": 9,
        "age_us": 3,
        "frames_used": (5, 7),
        "skipped": 2,
        "value": 0.5,
    }
    failed = result_of("net", None, KeyError("this one")).record()
    assert failed["error"] == "KeyError: 'this one'"
    assert "value" not in failed


def test_the_latest_results_are_drawn_on_a_copy() -> None:
    seen: list[dict[str, object]] = []

    def draw(frame: Frame, results: Mapping[str, Result[object]]) -> None:
        seen.append({name: result.value for name, result in results.items()})
        frame.array[0, 0] = 200

    operator = annotate(draw)()
    before = frame_of(7)
    items: list[Frame | Result[object]] = [
        before, result_of("a", 1), result_of("b", 2), frame_of(8), result_of("a", 3), frame_of(9)
    ]  # fmt: skip
    frames = [frame for item in items for frame in operator.feed(item)]
    assert seen == [{}, {"a": 1, "b": 2}, {"a": 3, "b": 2}]
    assert [frame.array[0, 0] for frame in frames] == [200, 200, 200]
    assert [frame.array[1, 1] for frame in frames] == [7, 8, 9]
    assert before.array[0, 0] == 7
    assert not frames[0].array.flags.writeable
    assert operator.flush() == ()


def test_what_is_returned_takes_the_place_of_the_frame() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    [drawn] = Annotate(lambda frame, results: picture).feed(frame_of(1, 50))
    assert drawn.array.shape == (4, 4, 3)
    assert drawn.span == Span(50, 60)
    assert picture.flags.writeable  # theirs is as it was
    other = frame_of(3)
    [drawn] = Annotate(lambda frame, results: other).feed(frame_of(1))
    assert drawn.array[0, 0] == 3


def test_an_error_in_the_drawing_is_raised() -> None:
    def fail(frame: Frame, results: Mapping[str, Result[object]]) -> None:
        raise KeyError("no such model")

    with pytest.raises(KeyError, match="no such model"):
        list(Annotate(fail).feed(frame_of(1)))
