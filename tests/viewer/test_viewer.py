"""What pages are told of all shows, and what they may have opened and closed."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import anyio.to_thread
import numpy as np

import aevents
from aevents.sources.array import from_array
from aevents.stream import Stream
from aevents.types import EventBatch
from aevents.viewer.folder import Folder
from aevents.viewer.packing import FAR_EVENTS, NEAR_EVENTS
from aevents.viewer.player import RecordingShow
from aevents.viewer.reader import Item
from aevents.viewer.shows import Show
from aevents.viewer.viewer import Viewer
from tests.viewer.pages import page_at, served, some_events, until
from tests.viewer.test_app import bar

EVENTS = some_events(30_000, start=500, stop=300_500)


def opened(number: int, name: str) -> Show:
    def stream() -> Stream[Item]:
        return aevents.open(name)

    return RecordingShow(number, name, name, stream)


async def recorded(path: Path, events: EventBatch = EVENTS) -> Path:
    await from_array(np.asarray(events), events.sensor).to(str(path))
    return path


async def test_a_recording_of_the_folder_is_opened_sought_and_closed(tmp_path: Path) -> None:
    await recorded(tmp_path / "a.dat")
    folder = await anyio.to_thread.run_sync(Folder, tmp_path, {".dat"})
    async with served(bar(), folder=folder, make=opened) as (_, url):
        async with page_at(url) as page:
            hello = await page.told("hello")
            assert hello["folder"] == ["a.dat"]
            assert hello["can"] == {"record": True, "open": True}
            await page.say("open", name="a.dat")
            hello = await page.told("hello", lambda one: len(one["shows"]) == 2)
            show = hello["shows"][1]
            assert (show["id"], show["name"], show["live"], show["seekable"]) == (
                1, "a.dat", False, True,
            )  # fmt: skip
            await page.credit(show=1)
            await page.drawn(lambda piece: piece.show == 1)
            await page.say("pause", show=1)
            await page.told("state", lambda one: one["show"] == 1 and one["state"] == "paused")
            to = int(EVENTS.t[12_345])
            await page.say("seek", show=1, time_us=to, window_us=5_000)
            piece = await page.drawn(lambda piece: piece.show == 1 and piece.flags == 1)
            part = EVENTS.between(to - 5_000, to)
            assert piece.pixels == [(e.x, e.y, e.p) for e in part]
            rates = await page.knows("rates", lambda one: one["whole"])
            assert sum(rates["counts"]) == len(EVENTS)
            hello = await page.knows(
                "hello", lambda one: len(one["shows"]) == 2 and one["shows"][1]["last_us"]
            )
            show = hello["shows"][1]
            assert (show["first_us"], show["last_us"]) == (int(EVENTS.t[0]), int(EVENTS.t[-1]))


async def test_what_is_opened_is_closed_but_what_is_live_stays(tmp_path: Path) -> None:
    await recorded(tmp_path / "a.dat")
    folder = await anyio.to_thread.run_sync(Folder, tmp_path, {".dat"})
    async with served(bar(), folder=folder, make=opened) as (_, url), page_at(url) as page:
        await page.say("open", name="a.dat")
        await page.told("hello", lambda one: len(one["shows"]) == 2)
        await page.say("open", name="a.dat")
        assert "already" in (await page.told("problem"))["text"]
        await page.say("close", show=1)
        await page.told("hello", lambda one: len(one["shows"]) == 1)
        await page.say("close", show=0)
        assert "stays" in (await page.told("problem"))["text"]


async def test_all_pages_see_one_moment(tmp_path: Path) -> None:
    path = await recorded(tmp_path / "a.dat")
    async with served(opened(0, str(path))) as (_, url):
        async with page_at(url) as one, page_at(url) as other:
            for page in (one, other):
                await page.told("hello")
                await page.credit()
            await one.drawn()
            await one.say("seek", show=0, time_us=100_000)
            await one.say("pause", show=0)
            for page in (one, other):
                seen = await page.drawn(lambda piece: piece.stop == 100_000)
                assert seen.flags == 1
            await other.say("step", show=0, duration_us=2_000, direction=1)
            for page in (one, other):
                seen = await page.drawn(lambda piece: piece.stop == 102_000)
                assert seen.count == len(EVENTS.between(100_000, 102_000))


async def test_a_page_that_comes_late_sees_what_stands_still(tmp_path: Path) -> None:
    path = await recorded(tmp_path / "a.dat")
    show = opened(0, str(path))
    async with served(show) as (_, url):
        async with page_at(url) as page:
            await page.credit()
            await page.drawn()
            await page.say("seek", show=0, time_us=50_000, window_us=10_000)
            await page.say("pause", show=0)
            await page.drawn(lambda piece: piece.stop == 50_000)
        async with page_at(url) as late:
            state = await late.told("state")
            assert (state["state"], state["time_us"]) == ("paused", 50_000)
            await late.credit()
            assert (await late.drawn()).stop == 50_000


async def test_figures_come_a_few_times_a_second() -> None:
    async with served(bar()) as (_, url), page_at(url) as page:
        await page.credit()
        await page.told("stats")
        first, second = await page.told("stats"), await page.told("stats")
        for stats in (first, second):
            assert stats["rate_hz"] > 0
            assert stats["on"] > 0 < stats["off"]
            assert stats["clients"] == 1
            assert stats["lag_ms"] >= 0
        assert second["age_ms"] is not None


async def test_who_does_not_ask_is_told_what_was_skipped() -> None:
    async with served(bar()) as (server, url), page_at(url) as page:
        stats = await page.told("stats", lambda one: one["skipped"] > 10)
        assert stats["skipped_events"] > 0
        assert not page.pieces
        assert len(server.viewer.pages) == 1


async def test_a_page_that_leaves_is_forgotten() -> None:
    show = bar()
    async with served(show) as (server, url):
        for _ in range(5):
            async with page_at(url) as page:
                await page.told("hello")
        await until(lambda: not (server.viewer.pages or show.watched))


class Broken(Show):
    """A show with a bug."""

    async def run(self) -> None:
        raise RuntimeError("a bug")


async def test_a_bug_of_one_show_ends_that_one_alone() -> None:
    broken = Broken(1, "broken", "broken:")
    async with served(bar(), broken) as (_, url), page_at(url) as page:
        told = await page.told("state", lambda one: one["state"] == "failed")
        assert (told["show"], told["error"]) == (1, "RuntimeError: a bug")
        await page.credit()
        await page.drawn()


async def test_what_goes_far_is_sent_dense_sooner() -> None:
    for near, most in ((True, NEAR_EVENTS), (False, FAR_EVENTS)):
        viewer, show = Viewer(near=near), bar()
        async with viewer.running([show]):
            assert show.packer.most_sparse == most


async def test_everything_that_is_told_is_json() -> None:
    async with served(bar()) as (server, _):
        assert json.dumps(server.viewer.hello().folder) == "[]"
        assert server.viewer.hello().can.open is False
