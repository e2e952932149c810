"""Messages of Treuzell: what is asked, and what is made of answers, whatever they are."""

from __future__ import annotations

import struct
from collections import deque

import pytest

from aevents import DeviceError
from aevents.cameras.treuzell import Treuzell
from aevents.testing.cameras import EVK4


class Board:
    """A board that gives these answers."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.answers = deque(answers)

    def write(self, endpoint: int, data: bytes, /) -> None:
        self.asked.append((endpoint, data))

    def read(self, endpoint: int, most: int, /) -> bytes:
        return self.answers.popleft()[:most]


def message(property: int, content: bytes = b"") -> bytes:
    return struct.pack("<II", property, len(content)) + content


def test_properties_are_read() -> None:
    board = Board(
        message(0x72, bytes([0x42, 0, 5, 0, 0, 0, 0, 0])),
        message(0x79, bytes([3, 2, 1, 0])),
        message(0x10000, bytes([2, 0, 0, 0])),
        message(0x10003, b"\0\0\0\0psee,one\0psee,two\0"),
        message(0x10003, b"\1\0\0\0psee,three\0"),
    )
    camera = Treuzell(board, 0x82, 0x02)
    assert (camera.serial, camera.version) == ("00050042", 0x010203)
    assert camera.devices() == [["psee,one", "psee,two"], ["psee,three"]]
    assert board.asked[0] == (0x02, message(0x72))
    assert board.asked[-1] == (0x02, message(0x10003, b"\1\0\0\0"))


def test_registers_are_read_and_written() -> None:
    board = Board(
        message(0x10102, struct.pack("<III", 1, 0x14, 0xA0401806)),
        message(0x40010102, struct.pack("<II", 1, 0x14)),
    )
    camera = Treuzell(board, 0x82, 0x02)
    assert camera.read(1, 0x14) == 0xA0401806
    camera.write(1, 0x14, 7)
    asked = [struct.pack("<III", 1, 0x14, 1), struct.pack("<III", 1, 0x14, 7)]
    assert [data[8:] for _, data in board.asked] == asked


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x72\0\0",
        message(0x80000072),
        message(0x80000000),
        message(0x73, bytes(8)),
        message(0x72, bytes(8))[:-1],
        message(0x72, bytes(8)) + b"\0",
    ],
)
def test_an_answer_that_is_none_is_an_error(answer: bytes) -> None:
    with pytest.raises(DeviceError, match="property 0x72: it"):
        _ = Treuzell(Board(answer), 0x82, 0x02).serial


def test_the_value_of_another_register_is_none() -> None:
    for content in (struct.pack("<III", 0, 0x18, 1), struct.pack("<II", 0, 0x14)):
        with pytest.raises(DeviceError, match="register 0x14"):
            Treuzell(Board(message(0x10102, content)), 0x82, 0x02).read(0, 0x14)


def test_the_model_of_a_camera_is_understood() -> None:
    model = EVK4(serial="0001f00d")

    class Through:
        def write(self, endpoint: int, data: bytes, /) -> None:
            model.receive(endpoint, data)

        def read(self, endpoint: int, most: int, /) -> bytes:
            return model.send(endpoint, most) or b""

    camera = Treuzell(Through(), 0x82, 0x02)
    assert (camera.serial, camera.version) == ("0001f00d", 0x030A00)
    assert camera.read(0, 0x14) == 0xA0401806
