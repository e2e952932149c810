"""Biases and the region of a camera are set by opening it anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import aevents
from aevents.cli.reading import Input
from aevents.cli.view import show_of
from aevents.stream import Stream
from aevents.testing import example_events
from aevents.testing.cameras import EVK4 as EVK4Model
from aevents.testing.cameras import emulated
from aevents.types import Sensor
from aevents.viewer import camera as module
from aevents.viewer.camera import CameraShow
from aevents.viewer.messages import Knob
from aevents.viewer.recorder import Item, Recorder
from aevents.viewer.shows import RefusedError
from tests.emulated import emulated_test
from tests.viewer.pages import looked_at, next_piece, some_events, until
from tests.viewer.test_live import Camera

EVK4 = Sensor(64, 48, "EVK4", "7")


class Plugged:
    """Cameras that say with what options they were opened."""

    def __init__(self, sensor: Sensor = EVK4) -> None:
        self.options: list[Mapping[str, str]] = []
        self._batches = [
            some_events(20, start=1_000 * number, stop=1_000 * number + 1_000, sensor=sensor)
            for number in range(20_000)
        ]

    def open(self, options: Mapping[str, str]) -> Stream[Item]:
        self.options.append(options)
        return Camera(self._batches).open()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALM_SECONDS", 0.02)


async def test_many_turns_open_it_once_with_the_last() -> None:
    plugged = Plugged()
    show = CameraShow(0, "usb:", plugged.open, {"biases": "bias_fo:5", "reopen": "yes"})
    assert (show.biases, show.roi) == ({}, False)
    async with looked_at(show) as page:
        await next_piece(page)
        assert show.biases["bias_fo"] == Knob(5, -35, 55)
        assert show.biases["bias_diff_on"] == Knob(0, -85, 140)
        for value in range(10):
            await show.set_bias("bias_diff_on", value)
        assert show.biases["bias_diff_on"].value == 9
        while (piece := await next_piece(page)).flags != 1:
            pass
        assert piece.start == 0
        assert plugged.options == [
            {"biases": "bias_fo:5", "reopen": "yes"},
            {"biases": "bias_fo:5,bias_diff_on:9", "reopen": "yes"},
        ]
        assert show.roi
        await show.set_roi((1, 2, 30, 40))
        while (await next_piece(page)).flags != 1:
            pass
        assert plugged.options[-1]["roi"] == "1,2,30x40"
        assert show.state == "playing"


async def test_what_is_out_of_range_is_refused() -> None:
    plugged = Plugged()
    show = CameraShow(0, "usb:", plugged.open, {})
    async with looked_at(show) as page:
        await next_piece(page)
        with pytest.raises(RefusedError, match="from -35 to 55, not 56"):
            await show.set_bias("bias_fo", 56)
        with pytest.raises(RefusedError, match="no bias"):
            await show.set_bias("bias_x", 0)
        with pytest.raises(ValueError, match="not within 64x48"):
            await show.set_roi((0, 0, 65, 48))
        assert len(plugged.options) == 1


async def test_another_camera_has_nothing_to_turn() -> None:
    plugged = Plugged(Sensor(64, 48, "DVS128"))
    show = CameraShow(0, "usb:", plugged.open, {"biases": "pr:1/2"})
    async with looked_at(show) as page:
        await next_piece(page)
        assert (show.biases, show.roi) == ({}, False)
        with pytest.raises(RefusedError, match="no region"):
            await show.set_roi((0, 0, 1, 1))


async def test_nothing_is_set_while_it_is_recorded(tmp_path: Path) -> None:
    plugged = Plugged()
    show = CameraShow(0, "usb:", plugged.open, {}, Recorder(tmp_path, aevents.create))
    async with looked_at(show) as page:
        await next_piece(page)
        await show.record(on=True)
        with pytest.raises(RefusedError, match="recording"):
            await show.set_bias("bias_fo", 1)
        await show.record(on=False)
        await until(lambda: show.recording is None)
        await show.set_bias("bias_fo", 1)
        await until(lambda: not (len(plugged.options) < 2))


@emulated_test
async def test_an_emulated_camera_is_shown_and_opened_anew() -> None:
    batch = example_events(50_000, sensor=Sensor(1280, 720))
    with emulated(EVK4Model([batch], realtime=False)):
        show = show_of(0, "usb:prophesee?biases=bias_fo:2", Input())
        assert isinstance(show, CameraShow)
        async with looked_at(show) as page:
            count = 0
            while count < len(batch):
                count += (await next_piece(page)).count
            assert show.biases["bias_fo"] == Knob(2, -35, 55)
            await show.set_bias("bias_hpf", 5)
            while not (piece := await next_piece(page)).flags:
                pass
            assert piece.count > 0
