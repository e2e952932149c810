"""The sensor's registers: what is written, in order, and what settings make of it."""

from __future__ import annotations

import pytest

from aevents import DeviceError
from aevents.cameras.imx636 import Imx636, Settings, settings_of

ALL = (0, 0, 1280, 720)


class Board:
    """Registers of a device, and in what order they were written."""

    def __init__(self, **values: int) -> None:
        self.written: list[tuple[int, int]] = []
        self.values = {0x14: 0xA0401806, **{int(name[1:], 16): to for name, to in values.items()}}

    def read(self, device: int, register: int, /) -> int:
        assert device == 3
        return self.values.get(register, 0)

    def write(self, device: int, register: int, value: int, /) -> None:
        assert device == 3
        self.values[register] = value
        self.written.append((register, value))


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr("aevents.cameras.imx636.time.sleep", seconds.append)
    return seconds


def configured(settings: Settings, *, edges: bool = False, **values: int) -> Board:
    board = Board(**values)
    Imx636(board, 3).configure(settings, edges=edges)
    return board


def test_another_sensor_is_refused() -> None:
    for values in ({"_14": 0x30501C01}, {"_f128": 1}):
        with pytest.raises(DeviceError, match="no IMX636"):
            Imx636(Board(**values), 3)


def test_it_is_switched_off_and_on_with_pauses(slept: list[float]) -> None:
    board = Board()
    chip = Imx636(board, 3)
    chip.begin()
    assert sum(slept) == 2.5
    assert board.written[0] == (0x4, 0xF0005042)
    reset = board.written.index((0x400004, 1))
    assert board.written[reset : reset + 3] == [(0x400004, 1), (0x400004, 0), (0xB000, 0x158)]
    assert board.written[-1] == (0x9000, 0x200)
    assert not board.values[0x9008] & 1
    chip.start()
    assert (board.values[0xB000] & 1, board.values[0x9008] & 1, board.values[4]) == (
        1, 1, 0xF0005442,
    )  # fmt: skip
    chip.end()
    assert (board.values[0xB000] & 1, board.values[0x9008] & 1, board.values[4]) == (
        0, 0, 0xF0005042,
    )  # fmt: skip
    assert board.written[-1] == (0xB07C, 0)


def test_without_settings_all_pixels_are_on_and_no_edges_come() -> None:
    board = configured(Settings(), _7004=0xFFFF, _6000=0x155401)
    masks = [board.values[at] for at in (*range(0x2000, 0x20A0, 4), *range(0x4000, 0x405C, 4))]
    assert set(masks) == {0}
    assert 0x4 not in board.values
    assert board.values[0x7004] == 0xFBFF
    assert (0x6000, 0x155400) in board.written
    rate = [board.values[at] for at in (0x6000, 0x6004, 0x6008, 0x600C, 0x6028, 0x602C)]
    assert rate == [0x155401, 1, 200, 10_000, 3, 0]
    assert (board.values[0x6B94], 0x6B98 in board.values) == (0x08080808, False)
    assert (board.values[0x6400], board.values[0x67FC]) == (0x10000, 0x1FF01FE)


def test_edges_are_switched_on() -> None:
    assert configured(Settings(), edges=True, _7004=0xC1FF).values[0x7004] == 0xC5FF


def test_the_rate_is_limited_in_every_period() -> None:
    assert configured(Settings(event_rate=20_000_000)).values[0x600C] == 4_000
    assert configured(Settings(event_rate=5_000)).values[0x600C] == 1


def test_biases_are_relative_to_the_sensors_own() -> None:
    settings = Settings(biases={"bias_diff_on": 10, "bias_fo": -3})
    board = configured(settings, _1010=0x1A15066, _1004=0x5053)
    assert board.values[0x1010] == 0x11A15070
    assert board.values[0x1004] == 0x11A15050
    for value in (-0x67, 0x9A):
        with pytest.raises(ValueError, match="bias_diff_on is from -102 to 153 here"):
            configured(Settings(biases={"bias_diff_on": value}), _1010=0x66)


def test_a_region_leaves_its_columns_and_rows_on() -> None:
    board = configured(Settings(roi=(4, 8, 1268, 708)))
    columns = [board.values[at] for at in range(0x2000, 0x20A0, 4)]
    rows = [board.values[at] for at in range(0x4000, 0x405C, 4)]
    assert columns == [0xF] + [0] * 38 + [0xFF000000]
    assert rows == [0xF] + [0] * 21 + [0x0000FF00]  # the last row is the first bit
    assert board.values[0x4] == 0xF0005062


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"biases": {"bias_none": 3}}, "bias_none.*known: bias_fo"),
        ({"roi": (0, 0, 1281, 5)}, "not within 1280x720"),
        ({"event_rate": 4_999}, "event_rate"),
        ({"transfer_bytes": 1_000}, "transfer_bytes"),
        ({"transfers": 0}, "transfers"),
        ({"imu": True}, "imu"),
    ],
)
def test_settings_that_cannot_be_are_told_of(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of(options)


def test_settings_may_be_text() -> None:
    found = settings_of({"biases": "bias_fo:-3", "roi": "1,2,3x4", "triggers": "yes"})
    assert found == Settings(biases={"bias_fo": -3}, roi=(1, 2, 3, 4), triggers=True)
