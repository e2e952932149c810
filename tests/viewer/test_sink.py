"""What is written into `view:` is seen on a page, and nobody waits for that page."""

from __future__ import annotations

import re

import anyio
import numpy as np
import pytest

import aevents
from aevents.operators.results import Result
from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.sink import ViewSink
from tests.viewer.pages import page_at, some_events


def sink_of(url: str = "view:?port=0&quiet=yes") -> ViewSink:
    sink = aevents.create(url)
    assert isinstance(sink, ViewSink)
    return sink


async def test_events_frames_and_results_are_shown() -> None:
    sink = sink_of()
    sensor = Sensor(64, 48, "DVX", "7")
    batch = some_events(500, sensor=sensor)
    frame = Frame(np.full((48, 64), 9, np.uint8), Span(0, 10_000), sensor, "intensity")
    value = {"boxes": [{"x": 1, "y": 2, "width": 3, "height": 4}], "labels": ["cup"], "n": 5}
    result = Result("net", 0, Span(0, 10_000), (0,), 0, 0.0, 10, 20, value)
    await sink.write(batch)  # which begins it all, seen by nobody
    async with page_at(sink.url) as page:
        hello = await page.told("hello")
        assert [show["name"] for show in hello["shows"]] == ["DVX 7"]
        await page.credit(count=4)
        for item in (batch, frame, result):
            await sink.write(item)
        events = await page.drawn(lambda piece: piece.kind == 1 and piece.count > 0)
        assert events.pixels == [(e.x, e.y, e.p) for e in batch]
        picture = page.pieces[-2] if page.pieces[0].kind == 3 else await page.drawn()
        assert (picture.kind, picture.payload.min()) == (3, 9)
        said = next((one for one in page.said if one["type"] == "result"), None)
        said = said or await page.told("result")
        assert said["boxes"][0]["height"] == 4.0
        assert (said["labels"], said["value"]) == (["cup"], value)
        await sink.aclose()
    await sink.aclose()
    with pytest.raises(anyio.ClosedResourceError):
        await sink.write(batch)


async def test_each_sensor_is_shown_by_itself() -> None:
    sink = sink_of()
    left, right = Sensor(8, 8, "left"), Sensor(8, 8, "right")
    for sensor in (left, right, left):
        await sink.write(some_events(10, sensor=sensor))
    async with page_at(sink.url) as page:
        hello = await page.told("hello")
        assert [show["name"] for show in hello["shows"]] == ["left", "right"]
    await sink.aclose()


async def test_a_page_that_does_not_read_holds_nothing_up_and_a_recorder_beside_loses_nothing(
    tmp_path: object,
) -> None:
    sink = sink_of()
    stream = aevents.open("synthetic:poisson?rate=2e7&duration_us=100000&size=320x240")
    path = f"{tmp_path}/all.npy"
    await sink.write(EventBatch.empty(Sensor(320, 240)))
    async with page_at(sink.url) as page:
        await page.credit(count=4)
        page.socket.transport.pause_reading()
        async with aevents.tee(stream, aevents.BLOCK, aevents.BLOCK) as (shown, kept):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(shown.to, sink)
                tasks.start_soon(kept.to, path)
        page.socket.transport.resume_reading()
    read, whole = await aevents.open(path).collect(), await stream.collect()
    assert len(read) == len(whole) > 1_900_000
    assert np.array_equal(read.t, whole.t)


async def test_it_says_once_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    sink = sink_of("view:?port=0")
    for _ in range(3):
        await sink.write(some_events(1))
    await sink.aclose()
    assert re.fullmatch(r"aevents: watch at http://127.0.0.1:\d+\n", capsys.readouterr().err)


async def test_a_sink_that_was_never_used_closes() -> None:
    sink = sink_of()
    await sink.aclose()


async def test_what_is_no_picture_is_refused() -> None:
    sink = sink_of()
    with pytest.raises(TypeError, match="not a int"):
        await sink.write(5)
    await sink.aclose()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("view:somewhere", "takes options only"),
        ("view:?colour=red", "colour"),
        ("view:?port=many", "port"),
        ("view:?host=0.0.0.0", "can be reached by others"),
    ],
)
def test_options_that_are_none_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        aevents.create(url)


async def test_a_token_of_ones_own() -> None:
    sink = sink_of("view:?port=0&quiet=yes&host=0.0.0.0&insecure=yes&token=mine")
    await sink.write(some_events(1))
    assert sink.url.endswith("/?token=mine")
    async with page_at(sink.url) as page:
        await page.told("hello")
    await sink.aclose()


async def test_a_port_that_is_taken_is_an_error_of_the_first_write() -> None:
    first = sink_of()
    await first.write(some_events(1))
    second = sink_of(f"view:?quiet=yes&port={first.url.rpartition(':')[2]}")
    with pytest.raises(OSError, match="in use"):
        await second.write(some_events(1))
    with pytest.raises(OSError, match="in use"):
        await second.write(some_events(1))
    await second.aclose()
    await first.aclose()
