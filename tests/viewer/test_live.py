"""What is live is shown, stands still, and is recorded to the last event."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import anyio
import numpy as np
import pytest

import aevents
from aevents._contracts import Origin
from aevents.errors import DeviceLostError
from aevents.stream import Stream, stream_of
from aevents.types import EventBatch, Span
from aevents.viewer.live import LiveShow
from aevents.viewer.recorder import Item, Recorder
from aevents.viewer.shows import RefusedError
from tests.viewer.pages import Unpacked, looked_at, next_piece, next_told, some_events, until


class Camera:
    """A live source that gives batches one after the other, every few milliseconds, then an error
    or the end.
    """

    def __init__(self, batches: Sequence[EventBatch], error: Exception | None = None) -> None:
        self.opened = 0
        self.given: list[EventBatch] = []
        self._batches = batches
        self._error = error

    def open(self) -> Stream[Item]:
        self.opened += 1
        return stream_of(Origin("camera", waiting=lambda: Running(self), live=True))

    async def next(self, at: int) -> EventBatch | None:
        await anyio.sleep(0.002)
        if at < len(self._batches):
            self.given.append(self._batches[at])
            return self._batches[at]
        if self._error is not None:
            raise self._error
        return None


class Running:
    """One reading of a camera."""

    def __init__(self, camera: Camera) -> None:
        self.counts: dict[str, int] = {"lost_events": 7, "late_events": 3}
        self._camera = camera
        self._at = 0

    def __aiter__(self) -> AsyncIterator[EventBatch]:
        return self

    async def __anext__(self) -> EventBatch:
        batch = await self._camera.next(self._at)
        if batch is None:
            raise StopAsyncIteration
        self._at += 1
        return batch

    def close(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def batches(count: int, each: int = 200) -> list[EventBatch]:
    return [
        some_events(each, start=number * 2_000, stop=(number + 1) * 2_000, seed=number)
        for number in range(count)
    ]


def shown(camera: Camera, folder: Path | None = None) -> LiveShow:
    recorder = Recorder(folder, aevents.create) if folder else None
    return LiveShow(0, "camera: 1/2", "usb:", camera.open, recorder)


async def test_all_that_comes_is_shown_in_pieces_that_tile_time() -> None:
    show = shown(Camera(batches(50)))
    seen: list[Unpacked] = []
    async with looked_at(show) as page:
        while not seen or seen[-1].stop < 100_000:
            seen.append(await next_piece(page))
        assert show.drops() == {"lost_events": 7}
        await until(lambda: show.state == "ended")
    assert sum(piece.count for piece in seen) == 10_000
    assert [piece.start for piece in seen[1:]] == [piece.stop for piece in seen[:-1]]
    assert len(seen) < 40  # sixty a second, not one a batch


async def test_standing_still_it_is_read_on_and_counted() -> None:
    show = shown(Camera(batches(10_000)))
    async with looked_at(show) as page:
        await next_piece(page)
        show.pause()
        await anyio.sleep(0.1)
        reached, at = show.time_us, show.packer.seq
        show.figures.taken()
        await anyio.sleep(0.1)
        assert show.packer.seq == at
        assert show.time_us > reached
        events, on = show.figures.taken()
        assert events > on > 0
        show.play()
        while (piece := await next_piece(page)).start <= reached:
            pass
        assert piece.flags == 1  # what lies between was not shown


async def test_a_recording_beside_a_page_that_does_not_read_has_every_event(
    tmp_path: Path,
) -> None:
    camera = Camera(batches(300, each=2_000))
    show = shown(camera, tmp_path)
    async with looked_at(show, credits=0) as page:
        await until(lambda: camera.given)
        await show.record(on=True)
        first = len(camera.given)
        name = show.recording
        assert name is not None
        await until(lambda: not (len(camera.given) < 200))
        await show.record(on=False)
        last = len(camera.given)
        assert (await next_told(page, "saved"))["name"] == name
        assert page.slots[0].skipped > 0
    read = await aevents.open(tmp_path / name).collect()
    given = EventBatch.concat(camera.given)
    begun = int(np.searchsorted(given.t, read.t[0]))
    assert begun <= first * 2_000  # what comes after it was asked for
    assert begun + len(read) >= (last - 1) * 2_000  # one may be on its way
    for column in "txyp":
        assert np.array_equal(
            getattr(read, column), getattr(given, column)[begun : begun + len(read)]
        )
    assert name.startswith("camera-1-2-")


async def test_a_recording_ends_whole_with_its_source_and_with_the_server(tmp_path: Path) -> None:
    for error in (None, DeviceLostError("unplugged")):
        camera = Camera(batches(100), error)
        show = shown(camera, tmp_path)
        async with looked_at(show) as page:
            await next_piece(page)
            await show.record(on=True)
            saved = await next_told(page, "saved")
            assert show.recording is None
        read = await aevents.open(tmp_path / saved["name"]).collect()
        assert read.t[-1] == camera.given[-1].t[-1]
    camera = Camera(batches(10_000))
    show = shown(camera, tmp_path)
    async with looked_at(show) as page:
        await next_piece(page)
        await show.record(on=True)
        await anyio.sleep(0.1)
        name = show.recording
        assert name is not None
    read = await aevents.open(tmp_path / name).collect()
    assert read.t[-1] >= camera.given[-2].t[-1]


async def test_what_cannot_be_written_is_told_and_the_show_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    show = shown(Camera(batches(10_000)), folder)
    async with looked_at(show) as page:
        await next_piece(page)
        folder.rmdir()
        await show.record(on=True)
        assert "No such file" in (await next_told(page, "problem"))["text"]
        assert (show.recording, show.state) == (None, "playing")
        await next_piece(page)


async def test_a_lost_camera_is_told_and_opened_again_when_asked() -> None:
    camera = Camera(batches(20), DeviceLostError("EVK4 00050001: unplugged"))
    show = shown(camera)
    async with looked_at(show) as page:
        failed = await next_told(page, "state", state="failed")
        assert failed["error"] == "EVK4 00050001: unplugged"
        show.play()
        await next_told(page, "state", state="playing")
        piece = await next_piece(page)
        while piece.start != 0:
            piece = await next_piece(page)
        assert piece.flags == 1
        assert camera.opened == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda show: show.seek(0, 0),
        lambda show: show.step(1, 0),
        lambda show: show.set_speed(2.0),
        lambda show: show.ask("net", 0, on=True),
    ],
)
async def test_what_is_live_refuses(ask: Callable[[LiveShow], None]) -> None:
    with pytest.raises(RefusedError):
        ask(shown(Camera([])))


async def test_nothing_is_recorded_without_a_folder_or_a_source(tmp_path: Path) -> None:
    assert not shown(Camera([])).can_record
    with pytest.raises(RefusedError, match="--folder"):
        await shown(Camera([])).record(on=True)
    show = shown(Camera([]), tmp_path)
    async with looked_at(show) as page:
        await next_told(page, "state", state="ended")
        with pytest.raises(RefusedError, match="nothing comes"):
            await show.record(on=True)
    assert not os.listdir(tmp_path)  # noqa: PTH208  # as quick as it is


async def test_time_that_goes_back_is_a_jump() -> None:
    late = some_events(10, start=500_000, stop=600_000)
    early = some_events(10, start=0, stop=1_000)
    show = shown(
        Camera([late, *[EventBatch.empty(late.sensor, Span(600_000, 600_000))] * 20, early])
    )
    async with looked_at(show) as page:
        seen = await next_piece(page)
        while seen.stop != 1_000:
            seen = await next_piece(page)
        assert (seen.flags, seen.start) == (1, 0)
