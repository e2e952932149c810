"""Pipelines as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio.to_thread
import numpy as np
import pytest

import aevents
from aevents import Frame, Pipeline, Report, Result
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode, example_events

EVENTS = example_events(2_000, seed=3)
HERE = "tests.test_pipeline"

Write = Callable[[str], Path]


class Brightest:
    """A model that is made with an argument, and begins."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.begun = False

    def init(self) -> None:
        self.begun = True

    def run(self, frame: Frame) -> float:
        assert self.begun
        return float(frame.array.max()) * self.scale


def events_in(frame: Frame) -> int:
    return int(np.abs(frame.array).sum())


def events_in_all(frames: tuple[Frame, ...], factor: int = 1) -> int:
    return factor * sum(map(events_in, frames))


def fail(frame: Frame) -> None:
    raise KeyError("never mind")


def mark(frame: Frame, results: Mapping[str, Result[object]]) -> None:
    frame.array[0, 0] = results["events"].index  # of numbers


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function that writes a pipeline into a folder with a recording, which it enters."""
    (tmp_path / "in.raw").write_bytes(encode(Evt3Encoder(), [EVENTS]))
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        path = tmp_path / "pipeline.toml"
        path.write_text(text)
        return path

    return written


async def run(path: Path) -> Report:
    pipeline = await anyio.to_thread.run_sync(Pipeline.read, path)
    return await pipeline.run()


def files() -> list[str]:
    return sorted(one.name for one in Path().iterdir())


def records(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


async def test_events_go_from_one_file_into_others(write: Write) -> None:
    path = write('open = "in.raw"\nsteps = [{ polarity = true }]\nto = ["a.raw", "b.csv"]\n')
    report = await run(path)
    on = [event for event in EVENTS if event.p]
    assert report.events == len(on)
    for name in ("a.raw", "b.csv"):
        assert list(await aevents.open(name).collect()) == on


async def test_models_see_frames_and_what_they_say_is_written(write: Write) -> None:
    path = write(f"""
        open = {{ name = "in.raw", format = "evt3", strict = true }}
        steps = [{{ window = {{ count = 100 }} }}, {{ frames = "count" }}]
        to = "results.jsonl"

        [infer]
        history = {{ count = 2 }}
        [infer.models]
        pairs = "{HERE}:events_in_all"
        [infer.models.threes]
        model = "{HERE}:events_in_all"
        arguments = {{ factor = 10 }}
        history = {{ count = 3 }}
        [infer.models.brightest]
        model = "{HERE}:Brightest"
        arguments = {{ scale = 0.5 }}
    """)
    report = await run(path)
    found = records("results.jsonl")
    assert report.delivered == len(found) == 19 + 18 + 20
    assert {one["value"] for one in found if one["model"] == "pairs"} == {200}
    assert {one["value"] for one in found if one["model"] == "threes"} == {3_000}
    assert [one["index"] for one in found if one["model"] == "brightest"] == list(range(20))


async def test_a_model_may_run_in_a_process_and_in_real_time(write: Write) -> None:
    path = write(f"""
        open = "synthetic:bar?duration_us=50000"
        steps = [{{ window = {{ duration_us = 10000 }} }}, {{ frames = {{}} }}]
        to = "results.jsonl"
        [infer]
        realtime = true
        where = "process"
        models = {{ events = "{HERE}:events_in" }}
    """)
    report = await run(path)
    assert report.delivered + report.anomalies.get("skipped_slots", 0) == 5
    assert records("results.jsonl")[-1]["index"] == 4


async def test_what_is_drawn_is_recorded_beside(write: Write) -> None:
    path = write(f"""
        open = "in.raw"
        steps = [{{ window = {{ count = 200 }} }}, {{ frames = "count" }}]
        to = "results.jsonl"
        infer = {{ models = {{ events = "{HERE}:events_in" }} }}
        annotate = {{ draw = "{HERE}:mark", to = "drawn.npy" }}
    """)
    report = await run(path)
    assert report.delivered == 10
    assert np.load("drawn.npy")[:, 0, 0].tolist() == list(range(10))
    assert len(records("results.jsonl")) == 10


async def test_an_error_of_the_drawing_is_raised_as_itself(write: Write) -> None:
    path = write(f"""
        open = "in.raw"
        steps = [{{ window = {{ count = 200 }} }}, {{ frames = "count" }}]
        infer = {{ models = {{ other = "{HERE}:events_in" }} }}
        annotate = {{ draw = "{HERE}:mark", to = "drawn.npy" }}
    """)
    with pytest.raises(KeyError, match="events"):
        await run(path)


async def test_a_model_that_raises_ends_all_if_it_is_to(write: Write) -> None:
    path = write(f"""
        open = "in.raw"
        steps = [{{ frames = "count" }}]
        to = "results.jsonl"
        infer = {{ on_error = "raise", models = {{ broken = "{HERE}:fail" }} }}
    """)
    with pytest.raises(KeyError, match="never mind"):
        await run(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("open = ", "pipeline.toml: "),
        ('to = "a.raw"', "Object missing required field `open`"),
        ('open = "in.raw"', "to: nothing says where it goes"),
        (
            'opne = "in.raw"',
            "unknown field `opne`; a pipeline has open, steps, infer, annotate, to",
        ),
        ('open = { name = "x", rate = 5 }\nto = "a.raw"', "unknown field `rate` - at `$.open`"),
        ('open = "x"\nto = "a"\ninfer = { model = "a:b" }', "`model` - at `$.infer`"),
        (
            'open = "x"\nto = "a"\ninfer.models.a = { model = "a:b", historty = 5 }',
            "unknown field `historty` - at `$.infer.models[...]`",
        ),
        (
            'open = "x"\nto = "a"\n[infer.models.a]\nmodel = "a:b"\nhistory = { count = 0 }',
            "count is at least 1, not 0 - at `$.infer.models[...].history`",
        ),
        (
            'open = "x"\nto = "a"\n[infer.models.a]\nmodel = "a:b"\nhistory = { stpe = 5 }',
            "unknown field `stpe` - at `$.infer.models[...].history`",
        ),
        (
            'open = "x"\nto = "a"\ninfer = { where = "moon", models = {} }',
            "Invalid enum value 'moon' - at `$.infer.where`",
        ),
        (
            'open = "x"\nannotate = { draw = "a:b", to = "c" }',
            "annotate draws what models say: there is no infer",
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_read(write: Write, text: str, told: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # looked at below
        Pipeline.read(write(text))
    assert str(error.value).startswith("pipeline.toml: ")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('steps = [{ widow = 5 }]\nto = "a.raw"', "a stream has no method widow"),
        ('to = "a.jsonl"\ninfer.models.a = "nowhere:b"', "there is no module nowhere"),
        ('to = "a.jsonl"\ninfer.models.a = "math:pi"', "a model is a function"),
        ('to = "a.jsonl"\ninfer.models.a = { model = "math:sin", workers = 0 }', "workers is"),
        ('to = "a.jsonl"\ninfer.models = {}', "no model was given"),
        ('to = "a.what"', "'.what' is no format that can be written here"),
    ],
)
async def test_what_is_not_there_is_refused_before_anything_is_touched(
    write: Write, text: str, told: str
) -> None:
    path = write(f'open = "in.raw"\n{text}')
    with pytest.raises((ValueError, TypeError, LookupError)) as error:
        await run(path)
    assert told in str(error.value)
    assert files() == ["in.raw", "pipeline.toml"]


async def test_the_size_of_the_sensor_may_be_given(write: Write) -> None:
    write("")
    await aevents.open("in.raw").to("plain.csv")
    opening = '{ name = "plain.csv", sensor = "640x480" }'
    path = write(f'open = {opening}\nsteps = [{{ frames = "count" }}]\nto = "sum.npy"')
    await run(path)
    assert np.load("sum.npy").shape == (1, 480, 640)
