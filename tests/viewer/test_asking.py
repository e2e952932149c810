"""Models are asked at their pace, and what goes wrong in them is told."""

from __future__ import annotations

import numpy as np

from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.asking import Asker, Framed
from aevents.viewer.live import PushedShow
from tests.viewer.pages import looked_at, next_told, some_events


def total(frame: Frame) -> dict[str, object]:
    return {"labels": ["some"], "total": float(frame.array.sum())}


def broken(frame: Frame) -> None:
    raise RuntimeError(f"not {frame.mode}")


def show_with_models() -> PushedShow:
    show = PushedShow(0, "pushed", "view:")
    show.asker = Asker(show, {"total": total, "broken": broken})
    return show


async def test_a_model_sees_each_stretch_of_time_and_can_be_stopped() -> None:
    show = show_with_models()
    assert show.about().models == ("total", "broken")
    async with looked_at(show) as page:
        await next_told(page, "state")
        show.ask("total", 5_000, on=True)
        events = some_events(300, start=0, stop=6_000)
        show.put(events)
        said = await next_told(page, "result")
        first = said["start_us"]
        assert (first, said["stop_us"]) == (events.t[0], first + 5_000)
        assert said["value"]["total"] == len(events.between(first, first + 5_000))
        assert said["labels"] == ["some"]
        show.ask("total", 0, on=False)
        show.put(some_events(100, start=6_000, stop=50_000))
        show.ask("broken", 1_000, on=True)
        show.put(some_events(100, start=50_000, stop=60_000))
        said = await next_told(page, "result")
        assert (said["model"], said["error"]) == ("broken", "RuntimeError: not count")


async def test_what_has_no_size_is_a_problem_that_is_told() -> None:
    show = show_with_models()
    async with looked_at(show) as page:
        await next_told(page, "state")
        show.ask("total", 1_000, on=True)
        show.put(unsized())
        assert "size" in (await next_told(page, "problem"))["text"]


def unsized() -> EventBatch:
    batch = some_events(100)
    return EventBatch(batch.t, batch.x, batch.y, batch.p, Sensor(), batch.span)


async def test_a_jump_begins_anew() -> None:
    show = show_with_models()
    async with looked_at(show) as page:
        await next_told(page, "state")
        show.ask("total", 4_000, on=True)
        show.put(some_events(50, start=100_000, stop=103_000))
        show.asker.jump()
        show.put(some_events(70, start=0, stop=8_000))
        assert (await next_told(page, "result"))["value"]["total"] <= 70


def test_frames_pass_and_events_are_counted() -> None:
    frame = Frame(np.zeros((2, 2)), Span(0, 1), Sensor(2, 2))
    framed = Framed(1_000)
    assert [*framed.feed(frame)] == [frame]
    assert [*framed.flush()] == []
    frames = [*Framed(1_000).feed(some_events(100, stop=3_500))]
    assert len(frames) == 3
    assert {one.shape for one in frames} == {(48, 64)}
