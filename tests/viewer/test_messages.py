"""What pages say is read or refused, and nothing else happens."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents.viewer import messages as m


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type":"credit","show":1,"seq":7,"count":2}', m.Credit(7, 2, show=1)),
        ('{"type":"play","show":0}', m.Play(show=0)),
        ('{"type":"pause","show":0}', m.Pause(show=0)),
        ('{"type":"step","show":0,"duration_us":5,"direction":-1}', m.Step(5, -1, show=0)),
        ('{"type":"seek","show":0,"time_us":5,"window_us":9}', m.Seek(5, 9, show=0)),
        ('{"type":"speed","show":0,"value":0.5}', m.Speed(0.5, show=0)),
        ('{"type":"record","show":0,"on":true}', m.Record(True, show=0)),
        ('{"type":"set_bias","show":0,"name":"on","value":-3}', m.SetBias("on", -3, show=0)),
        (
            '{"type":"set_roi","show":0,"x":1,"y":2,"width":3,"height":4}',
            m.SetRoi(1, 2, 3, 4, show=0),
        ),
        ('{"type":"open","name":"a.raw"}', m.Open("a.raw")),
        ('{"type":"close","show":3}', m.Close(show=3)),
        ('{"type":"run","show":0,"model":"net","on":false}', m.Run("net", False, show=0)),
    ],
)
def test_each_command_is_read(text: str, command: m.Command) -> None:
    assert m.read(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "[]",
        "{}",
        '{"type":"explode"}',
        '{"type":"play"}',
        '{"type":"play","show":"0"}',
        '{"type":"play","show":0,"more":1}',
        '{"type":"seek","show":0,"time_us":1.5}',
        '{"type":"seek","show":0,"time_us":1e400}',
        '{"type":"step","show":0,"duration_us":1,"direction":2}',
        '{"type":"hello","version":1}',
        "[" * 60_000,
    ],
)
def test_what_no_page_says_is_malformed(text: str) -> None:
    with pytest.raises(m.MalformedError):
        m.read(text)


@given(st.text() | st.binary())
def test_anything_is_a_command_or_malformed(text: str | bytes) -> None:
    with suppress(m.MalformedError):
        m.read(text)


def test_messages_say_what_they_are() -> None:
    told = json.loads(m.written(m.Status(0, "failed", 5, 1.0, "gone", None)))
    assert told == {
        "type": "state", "show": 0, "state": "failed", "time_us": 5, "speed": 1.0,
        "error": "gone", "recording": None,
    }  # fmt: skip
    assert json.loads(m.written(m.Problem(None, "no")))["type"] == "problem"
    assert json.loads(m.written(m.Rates(0, 0, 1, [2], True)))["counts"] == [2]
