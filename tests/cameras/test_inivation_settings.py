"""What is said of a camera becomes parameters of libcaer."""

from __future__ import annotations

import pytest

from aevents import EventBatch, Frame, ImuBatch, TriggerBatch
from aevents.cameras.inivation_settings import (
    DAVIS,
    DVS128,
    DVXPLORER,
    About,
    Family,
    Settings,
    settings_of,
)

DVX_ABOUT = About("DXA00042", 640, 480, chip=20, imu=True)
DAVIS_ABOUT = About("00000346", 346, 260, chip=5, imu=True)
OLD_ABOUT = About("8", 128, 128)


class Registers(dict[tuple[int, int], int]):
    """Parameters as they were set; others are 0."""

    def get(self, module: int, parameter: int) -> int:  # type: ignore[override]  # of a camera
        return super().get((module, parameter), 0)

    def set(self, module: int, parameter: int, value: int) -> None:
        self[module, parameter] = value


def prepared(family: Family, about: About, **options: object) -> Registers:
    registers = Registers()
    family.prepare(registers, about, settings_of(options))
    return registers


def test_how_data_come() -> None:
    assert prepared(DVS128, OLD_ABOUT) == {(-3, 0): 0, (-3, 1): 1_000, (-2, 0): 512}
    registers = prepared(DVS128, OLD_ABOUT, interval_us="5000", queue=8, transfer_bytes=4096)
    assert registers == {(-3, 0): 0, (-3, 1): 5_000, (-2, 0): 8, (-1, 1): 4096}


def test_the_queue_is_a_power_of_two_as_libcaer_wants_it() -> None:
    sizes = [prepared(DVS128, OLD_ABOUT, queue=queue)[-2, 0] for queue in (1, 2, 100, 128, 129)]
    assert sizes == [1, 2, 128, 128, 256]


@pytest.mark.parametrize(
    ("family", "about", "biases", "expected"),
    [
        (DVXPLORER, DVX_ABOUT, "simple:3,on:8", {(23, 20): 3, (23, 9): 8}),
        (DAVIS, DAVIS_ABOUT, "refrbp:4000", {(5, 16): 4000}),
        (DAVIS, DAVIS_ABOUT, "onbn:5/200", {(5, 11): 5 << 12 | 200 << 4 | 0b1111}),
        (DAVIS, DAVIS_ABOUT, "apscas:21/6", {(5, 1): 6 << 6 | 21}),
        (DVS128, OLD_ABOUT, "diffon:30153", {(1, 8): 30153}),
    ],
)
def test_biases_by_name(
    family: Family, about: About, biases: str, expected: dict[tuple[int, int], int]
) -> None:
    registers = Registers({(5, 11): 3 << 12 | 7 << 4 | 0b1111, (5, 1): 1 << 6 | 2})
    family.prepare(registers, about, settings_of({"biases": biases}))
    assert {key: registers[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("family", "about", "said", "options"),
    [
        (DVXPLORER, DVX_ABOUT, "no bias 'refr'.*; known: amp, ", {"biases": "refr:1"}),
        (DAVIS, About("1", 1, 1, chip=99), "known: none", {"biases": "onbn:1"}),
        (DAVIS, DAVIS_ABOUT, "8 does not fit 3 bits", {"biases": "onbn:8/1"}),
        (DAVIS, DAVIS_ABOUT, "64 does not fit 6 bits", {"biases": "apscas:64/1"}),
        (DVXPLORER, DVX_ABOUT, "not within 640x480", {"roi": "600,0,100x100"}),
        (DVXPLORER, DVX_ABOUT, "not within 640x480", {"roi": "0,0,0x10"}),
        (DVS128, OLD_ABOUT, "a DVS128 has no roi", {"roi": "0,0,10x10"}),
        (DVXPLORER, DVX_ABOUT, "a DVXplorer sends no Frame", {"frames": "yes"}),
        (DVXPLORER, DVX_ABOUT, "a DVXplorer sends no Frame", {"exposure_us": 5}),
        (DVS128, OLD_ABOUT, "a DVS128 sends no ImuBatch", {"imu": True}),
    ],
)
def test_what_a_camera_has_not_is_refused(
    family: Family, about: About, said: str, options: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=said):
        prepared(family, about, **options)


def test_a_region_of_a_dvxplorer() -> None:
    registers = prepared(DVXPLORER, DVX_ABOUT, roi="10,20,100x50")
    expected = {(21, 3): 10, (21, 1): 20, (21, 4): 109, (21, 2): 69, (21, 0): 1}
    assert {key: registers[key] for key in expected} == expected


def test_a_region_of_a_davis_is_of_events_and_frames() -> None:
    registers = prepared(DAVIS, DAVIS_ABOUT, roi=(10, 20, 100, 50))
    corners = [10, 20, 109, 69]
    assert [registers[1, number] for number in (41, 42, 43, 44)] == corners
    assert [registers[2, number] for number in (8, 9, 10, 11)] == corners


def test_the_times_of_frames() -> None:
    registers = prepared(DAVIS, DAVIS_ABOUT, exposure_us=4_000, frame_interval_us="50000")
    assert {key: registers[key] for key in ((2, 101), (2, 12), (2, 13))} == {
        (2, 101): 0, (2, 12): 4_000, (2, 13): 50_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options", "edges", "imu", "frames"),
    [
        (EventBatch, {}, 0, 0, 0),
        (object, {}, 1, 1, 1),
        (TriggerBatch, {}, 1, 0, 0),
        (ImuBatch, {}, 0, 1, 0),
        (Frame, {}, 0, 0, 1),
        (object, {"imu": "no", "frames": False, "triggers": "no"}, 0, 0, 0),
        (EventBatch, {"imu": "yes"}, 0, 1, 0),
    ],
)
def test_only_what_is_asked_for_is_switched_on(
    kind: type, options: dict[str, object], edges: int, imu: int, frames: int
) -> None:
    registers = Registers(dict.fromkeys(((3, 2), (3, 3), (3, 4), (2, 4), (4, 3)), 1))
    DAVIS.choose(registers, DAVIS_ABOUT, settings_of(options), kind)
    assert [registers[4, number] for number in (1, 2, 3)] == [edges, edges, 0]
    assert [registers[3, number] for number in (2, 3, 4)] == [imu, imu, imu]
    assert registers[2, 4] == frames


def test_a_camera_without_such_things_is_told_nothing_of_them() -> None:
    registers = Registers()
    DVS128.choose(registers, OLD_ABOUT, Settings(), object)
    assert registers == {}


@pytest.mark.parametrize(
    "options",
    [
        {"hue": 1}, {"imu": "perhaps"}, {"interval_us": 0}, {"queue": "many"}, {"roi": "1,2,3"},
        {"biases": "on"}, {"biases": "on:1/2/3"},
    ],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="known: frames, imu"):
        settings_of(options)
