"""Models in real time, by a clock that goes on when everybody waits: exact to the microsecond.

What stream_infer does in real time is looked for in `$AEVENTS_TRUTH`, else in `../shared/truth`
beside the repository.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from aevents import History, Model, Result, infer
from tests.junctions.test_infer import film
from tests.truth import STREAM_INFER

Models = dict[str, Any]


class Jumping(selectors.DefaultSelector):
    """Waits for no time: it passes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:  # noqa: ANN401  # as the base has it
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self.now += timeout
        return ready


class Clockwork(asyncio.SelectorEventLoop):
    """A loop of which nobody has to wait for a time to come."""

    def __init__(self) -> None:
        self._jumping = Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


async def at_once(function: Callable[..., Any], *arguments: Any, **_: Any) -> Any:  # noqa: ANN401
    """Do on the loop what a thread would do."""
    await anyio.lowlevel.checkpoint()
    return function(*arguments)


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyio.to_thread.run_sync", at_once)
    for module in ("infer", "models"):
        monkeypatch.setattr(f"aevents.junctions.{module}.now", anyio.current_time)


def sleeper(seconds: float) -> Callable[[object], Coroutine[Any, Any, None]]:
    async def run(frames: object) -> None:
        await anyio.sleep(seconds)

    return run


def played(models: Models, fps: int, count: int) -> tuple[list[Result[object]], float]:
    """Return the results, and how long it took."""

    async def play() -> tuple[list[Result[object]], float]:
        stream = film(count, period=1_000_000 // fps)
        async with infer(stream, models, realtime=True) as results:
            return [one async for one in results], anyio.current_time()

    with asyncio.Runner(loop_factory=Clockwork) as runner:
        return runner.run(play())


def skipped(results: list[Result[object]]) -> int:
    return sum(one.skipped for one in results)


def test_a_model_of_100_ms_keeps_time_with_30_frames_a_second() -> None:
    results, wall = played({"a": sleeper(0.1)}, 30, 150)
    assert 5.0 <= wall < 5.15
    assert 48 <= len(results) <= 51
    assert len(results) + skipped(results) == 150
    assert all(one.age_us <= 1_000_000 // 30 for one in results[:-1])  # the last has to wait


def test_a_slow_model_takes_nothing_from_a_fast_one() -> None:
    models = {
        "slow": Model(sleeper(0.5), every_us=100_000),
        "fast": Model(sleeper(0.1), every_us=100_000),
    }
    results, wall = played(models, 30, 150)
    of_fast = [one for one in results if one.model == "fast"]
    of_slow = [one for one in results if one.model == "slow"]
    assert len(of_fast) >= 45
    assert 10 <= len(of_slow) <= 11
    assert len(of_fast) + skipped(of_fast) == len(of_slow) + skipped(of_slow) == 50
    assert wall < 5.6


def test_a_model_that_does_nothing_sees_each_frame_at_once() -> None:
    results, wall = played({"a": sleeper(0)}, 60, 600)
    assert [one.frames_used for one in results] == [(number,) for number in range(600)]
    assert max(one.latency_us for one in results) == 0
    assert wall == pytest.approx(600 * 16_666e-6)


def cases() -> list[Any]:
    path = STREAM_INFER / "realtime_0.6.7.json"
    return json.loads(path.read_text())["cases"] if path.exists() else []


def label(case: Any) -> str:  # noqa: ANN401
    given = case["input"]
    paces = "+".join(f"{one['interval']}s-{one['algo_sleep_s']}s" for one in given["algos"])
    return f"{given['source']}-{given['fps']}-{paces}"


def model_of(algo: dict[str, Any]) -> Model:
    history = History(algo["frame_count"], algo["frame_step"])
    every_us = round(1_000_000 * algo["interval"])
    return Model(sleeper(algo["algo_sleep_s"]), history, every_us)


@pytest.mark.parametrize("case", cases(), ids=label)
def test_what_stream_infer_does_in_real_time_is_done_here(case: Any) -> None:  # noqa: ANN401
    """Every slot is served by a model that can, else counted; no frame is seen twice,
    none is older than there, and the time is kept.
    """
    given, seconds = case["input"], len(case["added_source_frames"]) / case["input"]["fps"]
    models = {algo["name"]: model_of(algo) for algo in given["algos"]}
    results, wall = played(models, given["fps"], len(case["added_source_frames"]))
    slowest = max(algo["algo_sleep_s"] for algo in given["algos"])
    assert seconds - 0.001 <= wall <= seconds + 2 * slowest + 0.001
    for algo in given["algos"]:
        theirs = case["runs"][algo["name"]]
        ours = [one for one in results if one.model == algo["name"]]
        seen = {one.frames_used for one in ours}
        assert len(seen) == len(ours)
        assert len(ours) + skipped(ours) == ours[-1].index + 1
        if algo["algo_sleep_s"] <= algo["interval"]:
            assert skipped(ours) == 0
        else:
            assert len(seen) >= len({tuple(run["frames"]) for run in theirs})
        ages = (run["age_of_newest_s"] for run in theirs)
        oldest = max(*ages, 1 / given["fps"])
        assert max(one.age_us for one in ours[:-1]) <= 1_000_000 * oldest  # no newer than the last
