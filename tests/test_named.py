"""Functions and methods by name."""

from __future__ import annotations

import numpy as np
import pytest

import aevents
from aevents import EventBatch, Stream, from_array
from aevents._named import METHODS, applied, function_named, named
from aevents.stream import stream_of

EVENTS = from_array([(t, t % 8, 0, t % 2) for t in range(100)], aevents.Sensor(8, 4))
STREAM: Stream[object] = stream_of(EVENTS.origin)
HERE = "tests.test_named"


def length(batch: EventBatch) -> int:
    return len(batch)


def more_than(batch: EventBatch, count: int) -> bool:
    return len(batch) > count


class Twice:
    """An operator."""

    def __init__(self, times: int = 2) -> None:
        self.times = times

    def feed(self, item: object, /) -> list[object]:
        return [item] * self.times

    def flush(self) -> tuple[()]:
        return ()


def run(*steps: dict[str, object]) -> list[object]:
    stream = STREAM
    for step in steps:
        stream = applied(stream, step)
    return list(stream.blocking())


def test_a_name_means_what_is_in_a_module() -> None:
    assert named("os.path:join").__name__ == "join"  # type: ignore[attr-defined]  # a function
    assert named(f"{HERE}:Twice.feed") is Twice.feed
    assert function_named(f"{HERE}:length") is length
    assert function_named({"name": "math:pow", "arguments": {}})(2, 3) == 8.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("length", "a function is named as \"module:name\", not 'length'"),
        (":length", "a function is named as"),
        (5, "a function is named as"),
        ("no_such_module:x", "no_such_module:x: there is no module no_such_module"),
        ("no.such.module:x", "there is no module no.such.module"),
        ("math:no_such", "math:no_such: there is no no_such in math"),
        ("math:pi", "math:pi is no function"),
        ({"name": "math:pow", "argument": {}}, "a function takes name, arguments, and no argument"),
        ({"name": "math:pow", "arguments": 5}, "arguments are values by name, not 5"),
    ],
)
def test_what_is_no_name_is_refused(given: object, told: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # looked at below
        function_named(given)
    assert told in str(error.value)


def test_every_method_that_makes_a_stream_is_there_and_no_other() -> None:
    assert {"window", "frames", "map", "through", "paced", "rechunk", "rezero"} <= set(METHODS)
    assert {"open", "to", "blocking", "first", "collect"} & set(METHODS) == set()


def test_steps_are_methods_with_what_they_take() -> None:
    assert run({"window": {"count": 30}}, {"map": f"{HERE}:length"}) == [30, 30, 30, 10]
    assert run({"crop": {"x": [0, 4]}}, {"map": {"function": f"{HERE}:length"}}) == [52]
    keep = {"name": f"{HERE}:more_than", "arguments": {"count": 20}}
    assert len(run({"window": {"count": 30}}, {"filter": keep})) == 3
    assert len(run({"through": f"{HERE}:Twice"})) == 2
    assert len(run({"through": {"name": f"{HERE}:Twice", "arguments": {"times": 5}}})) == 5
    assert len(run({"take": 1}, {"rezero": {}})) == 1
    [frame] = run({"frames": {"mode": "signed", "dtype": "int16"}})
    assert isinstance(frame, aevents.Frame)
    assert frame.array.dtype == np.int16
    assert len(run({"rechunk": {"size": 25, "exact": True}})) == 4


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ({"widow": 5}, "a stream has no method widow; it has "),
        ({"collect": {}}, "a stream has no method collect"),
        ({"window": {"count": 5}, "take": 1}, "a step is one method and what it takes, not 2"),
        ({}, "not 0"),
        ({"window": {"cuont": 5}}, "window: it takes duration_us, count, "),
        ({"window": {"count": "5"}}, "window: count: Expected `int | null`, got `str`"),
        ({"window": {}}, "window: "),
        ({"take": -1}, "take: "),
        ({"take": {}}, "take: missing a required argument: 'count'"),
        ({"frames": "singed"}, "frames: mode: Invalid enum value 'singed'"),
        ({"rezero": 5}, "rezero: it takes nothing, and no value"),
        ({"map": "nowhere:x"}, "map: nowhere:x: there is no module nowhere"),
        ({"map": 5}, "map: function: Expected `Callable`"),
    ],
)
def test_what_does_not_fit_is_refused(step: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # looked at below
        applied(STREAM, step)
    assert told in str(error.value)
