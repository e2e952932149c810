"""The model of an EVK4: what is written is kept, and what is on is sent."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents import EventBatch, Sensor, Span, TriggerBatch
from aevents.testing.cameras import EVK4
from aevents.testing.cameras.usb import Fault, Setup, Stall

HD = Sensor(1280, 720)
EVENTS = EventBatch.from_columns(t=[5, 4_097], x=[1, 2], y=[3, 4], p=[1, 0], sensor=HD)
ON = ((0xB000, 0x2F9), (0x9008, 0x645), (0x4, 0xF0005442))
SAID = "8000 6005 0003 2801 8001 6001 0004 2002"


def ask(model: EVK4, property: int, content: bytes = b"") -> tuple[int, bytes]:
    model.receive(0x02, struct.pack("<II", property, len(content)) + content)
    answer = model.send(0x82, 1024)
    assert answer is not None
    number, size = struct.unpack_from("<II", answer)
    assert size == len(answer) - 8
    return number, answer[8:]


def write(model: EVK4, *pairs: tuple[int, int]) -> None:
    for register, value in pairs:
        ask(model, 0x40010102, struct.pack("<III", 0, register, value))


def sent(model: EVK4, most: int = 1 << 16) -> str | None:
    data = model.send(0x81, most)
    if data is None:
        return None
    return " ".join(f"{word:04x}" for (word,) in struct.iter_unpack("<H", data))


def test_it_says_what_it_is() -> None:
    model = EVK4(serial="0000beef", firmware=0x040102)
    assert ask(model, 0x72) == (0x72, bytes.fromhex("efbe000000000000"))
    assert ask(model, 0x79) == (0x79, bytes([2, 1, 4, 0]))
    assert ask(model, 0x10003, bytes(4)) == (0x10003, b"\0\0\0\0psee,ccam5_imx636\0")
    assert ask(model, 0x12345) == (0x80012345, b"")
    assert model.control(Setup(0xC0, 0x72, 0, 0, 2), b"") == b"\x31\0"
    with pytest.raises(Stall):
        model.control(Setup(0xC0, 0x73, 0, 0, 2), b"")
    assert model.configuration_descriptor[14:16] == b"\xff\x19"


def test_registers_are_written_and_read() -> None:
    model = EVK4()
    content = struct.pack("<IIII", 0, 0x1000, 7, 8)
    assert ask(model, 0x40010102, content) == (0x40010102, content[:8])
    asked = struct.pack("<III", 0, 0x1000, 3)
    values = struct.pack("<III", 7, 8, 0)
    assert ask(model, 0x10102, asked) == (0x10102, content[:8] + values)


def test_it_is_silent_until_all_is_switched_on() -> None:
    model = EVK4([EVENTS], realtime=False)
    write(model, *ON[:-1])
    assert (model.running, sent(model)) == (False, None)
    for _ in range(2):  # it plays again each time
        write(model, ON[-1])
        assert (model.running, sent(model, 2 * len(SAID.split()))) == (True, SAID)
        assert model.send(0x82, 64) is None
        write(model, (0x4, 0xF0005042))
        assert (model.running, sent(model)) == (False, None)


def test_no_more_than_fits_is_sent_at_once() -> None:
    model = EVK4([EVENTS], realtime=False)
    write(model, *ON)
    assert [sent(model, 5), sent(model, 6)] == ["8000 6005", "0003 2801 8001"]


def test_then_it_says_that_time_goes_on() -> None:
    model = EVK4([EVENTS], realtime=False)
    write(model, *ON)
    found = ""
    while len(found.split()) < 11:
        found += (sent(model) or "") + " "
    assert found.split()[8:11] == ["8002", "8003", "8004"]


def test_edges_come_in_order_if_they_are_on() -> None:
    edge = TriggerBatch(
        np.array([4_000, 9_000]), np.zeros(2, np.uint8), np.array([True, False]), HD, Span(0, 9_001)
    )
    for value, words in ((0xC1FF, SAID), (0xC5FF, "8000 6005 0003 2801 6fa0 0000 a001 8001")):
        model = EVK4([edge, EVENTS], realtime=False)
        write(model, (0x7004, value), *ON)
        assert sent(model, 16) == words


def test_it_can_refuse_from_some_message_on() -> None:
    model = EVK4(fault=Fault("refuses", 3))
    for _ in range(2):
        ask(model, 0x79)
    for _ in range(2):
        with pytest.raises(Stall):
            ask(model, 0x79)
    with pytest.raises(Stall):
        EVK4().receive(0x01, b"")
