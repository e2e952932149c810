"""Models of iniVation's cameras: what is written is kept, and what is on is sent."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest

from aevents import EventBatch, Frame, ImuBatch, Sensor, Span, TriggerBatch
from aevents.testing.cameras import DAVIS346, DVXplorer
from aevents.testing.cameras.inivation import InivationModel
from aevents.testing.cameras.usb import Fault, Setup, Stall

ON = ((0, 0), (0, 1), (9, 0), (1, 3))
EVENTS = EventBatch.from_columns(t=[5, 6], x=[1, 2], y=[3, 4], p=[1, 0])
SAID = "8005 1001 4000 3008 8006 1002 3110"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InivationModel, "settle_s", 0.0)


def write(model: InivationModel, *parameters: tuple[int, int], value: int = 1) -> None:
    for module, parameter in parameters:
        model.control(Setup(0x40, 0xBF, module, parameter, 4), value.to_bytes(4, "big"))


def sent(model: InivationModel, most: int = 1 << 16) -> str | None:
    data = model.send(0x82, most)
    return (
        None
        if data is None
        else " ".join(f"{word:04x}" for (word,) in struct.iter_unpack("<H", data))
    )


def test_parameters_are_written_and_read() -> None:
    model = DVXplorer()
    write(model, (5, 7), value=0x01020304)
    assert model.control(Setup(0xC0, 0xBF, 5, 7, 4), b"") == bytes([1, 2, 3, 4])
    model.control(Setup(0x40, 0xC2, 2, 0, 12), struct.pack(">BBIBBI", 1, 2, 3, 4, 5, 6))
    assert (model.registers[1, 2], model.registers[4, 5]) == (3, 6)
    with pytest.raises(Stall):
        model.control(Setup(0xC0, 0x01, 0, 0, 4), b"")


@pytest.mark.parametrize(("model", "size"), [(DVXplorer(), (640, 480)), (DAVIS346(), (346, 260))])
def test_a_camera_says_its_size(model: InivationModel, size: tuple[int, int]) -> None:
    assert (model.registers[1, 0], model.registers[1, 1]) == size


def test_it_is_silent_until_all_is_switched_on() -> None:
    model = DVXplorer([EVENTS], realtime=False)
    assert sent(model) is None
    write(model, *ON[:-1])
    assert (model.running, sent(model)) == (False, None)
    write(model, ON[-1])
    assert (model.running, sent(model)) == (True, SAID)
    assert model.send(0x81, 64) is None
    write(model, ON[0], value=0)
    assert sent(model) is None


def test_it_plays_again_each_time_it_is_switched_on() -> None:
    model = DVXplorer([EVENTS], realtime=False)
    for _ in range(2):
        write(model, *ON)
        assert sent(model) == SAID
        write(model, ON[3], value=0)


def test_no_more_than_fits_is_sent_at_once() -> None:
    model = DVXplorer([EVENTS], realtime=False)
    write(model, *ON)
    assert [sent(model, 5), sent(model, 6)] == ["8005 1001", "4000 3008 8006"]


def test_in_real_time_an_item_comes_when_its_time_has_come() -> None:
    later = EventBatch.from_columns(t=[50_006], x=[1], y=[3], p=[1])
    model = DVXplorer([EVENTS, later])
    write(model, *ON)
    began = time.monotonic()
    found = ""
    while "3008" not in found.removeprefix(SAID):
        found += sent(model) or ""
    assert time.monotonic() - began >= 0.05


def test_in_real_time_a_long_batch_comes_in_pieces() -> None:
    batch = EventBatch.from_columns(t=[100, 200, 1_100, 90_000], x=[1] * 4, y=[3] * 4, p=[1] * 4)
    model = DVXplorer([batch])
    write(model, *ON)
    began, found = time.monotonic(), [sent(model)]
    while time.monotonic() - began < 0.05:  # the last event comes after 90 ms
        found.append(sent(model))
    assert " ".join(filter(None, found)) == "8064 1001 4000 3008 80c8 3008 844c 3008"


def test_then_it_says_that_time_goes_on() -> None:
    model = DVXplorer(realtime=False)
    write(model, *ON)
    found: list[str] = []
    while len(found) < 2:
        if said := sent(model):
            found += said.split()
    assert set(found) == {"7001"}


def test_what_is_switched_off_is_not_sent() -> None:
    one = np.zeros(1, np.int64)
    span = Span(0, 1)
    edge = TriggerBatch(one, one.astype(np.uint8), one == 0, Sensor(), span)
    motion = np.zeros((1, 3), np.float32)
    sample = ImuBatch(one, motion[0, :1], motion, motion, motion, Sensor(), span)
    frame = Frame(np.zeros((260, 346), np.uint16), span, Sensor(), "intensity")
    for item, switch in ((edge, (4, 2)), (sample, (3, 2)), (frame, (2, 4))):
        model = DAVIS346([item, EVENTS], realtime=False)
        write(model, *ON)
        silent = sent(model)
        assert silent is not None
        assert silent.startswith("8005 1003")
        model = DAVIS346([item, EVENTS], realtime=False)
        write(model, switch, *ON)
        loud = sent(model)
        assert loud is not None
        assert loud.startswith("00")


def test_it_waits_until_the_host_has_switched_everything_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(InivationModel, "settle_s", 0.05)
    model = DVXplorer([EVENTS], realtime=False)
    write(model, *ON)
    time.sleep(0.03)
    began = time.monotonic()
    write(model, (4, 0))
    while (said := sent(model)) is None:
        pass
    assert said == SAID
    assert time.monotonic() - began >= 0.05


def test_it_can_refuse_from_some_request_on() -> None:
    model = DVXplorer(fault=Fault("refuses", 3))
    write(model, (0, 0), (0, 1))
    for _ in range(2):
        with pytest.raises(Stall):
            write(model, (0, 2))
