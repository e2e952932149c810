"""Values ask for their picture where it is known how they are shown, and are none the worse."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from aevents import EventBatch, Frame, Report, Sensor, Stream, _shown
from aevents._shown import Display, Shown, show_with


class Value(Shown, msgspec.Struct, frozen=True):
    number: int


def test_a_value_shows_itself_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shown, "_display", None)
    assert (Value(3)._repr_html_(), Value(3)._repr_png_()) == (None, None)
    show_with(Display(lambda value: f"<b>{value}</b>", lambda value: b"png"))
    assert (Value(3)._repr_html_(), Value(3)._repr_png_()) == ("<b>Value(number=3)</b>", b"png")


def test_it_stays_the_value_that_it_is() -> None:
    assert Value(3) == Value(3)
    assert hash(Value(3)) == hash(Value(3))
    assert not hasattr(Value(3), "__dict__")
    assert msgspec.json.decode(msgspec.json.encode(Value(3)), type=Value) == Value(3)
    assert pickle.loads(pickle.dumps(Sensor(3, 2))) == Sensor(3, 2)


@pytest.mark.parametrize("kind", [EventBatch, Frame, Report, Sensor, Stream])
def test_these_show_themselves(kind: type) -> None:
    assert issubclass(kind, Shown)
