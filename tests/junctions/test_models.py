"""What a model is, and how it is called."""

from __future__ import annotations

import pickle
import threading

import anyio
import numpy as np
import pytest

from aevents import Frame, History, Model, Sensor, Span
from aevents.junctions.models import Caller, OnError, Sent, begin, function_of, now
from aevents.operators.moments import Moment

FRAME = Frame(np.zeros((2, 2)), Span(10, 20), Sensor(2, 2))


def moment(*frames: Frame) -> Moment[Frame]:
    return Moment("net", 4, frames, tuple(range(len(frames))), FRAME.span)


class Counted:
    """A model that counts how often it begins and runs."""

    def __init__(self) -> None:
        self.begun = 0

    def init(self) -> None:
        self.begun += 1

    def run(self, frames: object) -> int:
        return self.begun


class Both:
    """Something that can be called, as nets can, and that has an `init` of other meaning."""

    def init(self, weights: str) -> None:
        raise AssertionError("nobody asked for that")

    def __call__(self, frames: object) -> str:
        return "called"


def test_an_object_with_run_is_run_and_what_else_can_be_called_is_called() -> None:
    counted, both = Counted(), Both()
    assert function_of(counted) == counted.run
    assert function_of(both) is both
    assert function_of(len) is len
    assert begin(both) is both
    assert begin(counted)(FRAME) == 1


def test_a_model_begins_where_it_is_sent_to() -> None:
    there = pickle.loads(pickle.dumps(Sent(Counted())))
    assert there(FRAME) == 1
    assert there(FRAME) == 1


def test_settings_are_checked_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="workers is at least 1, not 0"):
        Model(len, workers=0)
    with pytest.raises(ValueError, match="every_us is at least 1"):
        Model(len, every_us=-5)
    with pytest.raises(TypeError, match="Counted is a class"):
        Model(Counted)
    assert Model(len, History(2), 5).schedule.history.count == 2


async def test_it_is_shown_a_frame_or_a_history() -> None:
    single: Caller[Frame] = Caller(Model(lambda frame: frame is FRAME), "emit")
    several: Caller[Frame] = Caller(Model(len, History(2)), "emit")
    async with single.begun(), several.begun():
        assert (await single.ask(moment(FRAME), now())).value is True
        assert (await several.ask(moment(FRAME, FRAME), now())).value == 2


async def test_functions_run_in_threads_of_their_own_number() -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    both_there = threading.Barrier(2, timeout=5)

    def work(frame: Frame) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        both_there.wait()
        with lock:
            at_work -= 1

    caller: Caller[Frame] = Caller(Model(work, workers=2), "emit")
    async with caller.begun(), anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(caller.ask, moment(FRAME), now())
    assert most == 2


async def test_a_result_says_all_about_it() -> None:
    caller: Caller[Frame] = Caller(Model(lambda frame: "seen"), "emit")
    async with caller.begun():
        result = await caller.ask(moment(FRAME), now() - 1, skipped=3)
    assert (result.model, result.index, result.t_us, result.frames_used) == ("net", 4, 10, (0,))
    assert (result.value, result.error, result.skipped) == ("seen", None, 3)
    assert 1_000_000 <= result.age_us <= result.latency_us < 60_000_000


@pytest.mark.parametrize("on_error", ["emit", "raise"])
async def test_an_error_that_goes_out_says_whose_it_is(on_error: OnError) -> None:
    same = KeyError("never mind")

    def fail(frame: Frame) -> None:
        raise same

    caller: Caller[Frame] = Caller(Model(fail), on_error)
    async with caller.begun():
        if on_error == "emit":
            assert (await caller.ask(moment(FRAME), now())).error is same
            assert not hasattr(same, "__notes__")
        else:
            with pytest.raises(KeyError):
                await caller.ask(moment(FRAME), now())
            assert same.__notes__ == ["raised by the model net"]
