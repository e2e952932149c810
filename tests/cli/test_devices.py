"""The list of the cameras that are plugged in."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

import aevents
from aevents import EventBatch, Frame, Sensor
from aevents.cameras import libusb
from aevents.cli.main import execute
from aevents.testing.cameras import DAVIS346, EVK4, DVXplorer, emulated
from tests.emulated import emulated_test


class NewDavis(DVXplorer):
    """A camera that no driver serves."""

    product = 0x841E


class Silky(DVXplorer):
    """A camera that Metavision HAL serves."""

    vendor, product = 0x31F7, 0x0003


def printed(*arguments: str, code: int = 0) -> tuple[str, str]:
    """Return what a command prints, on both ways."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        assert execute(arguments) == code
    return out.getvalue(), err.getvalue()


@emulated_test
def test_each_camera_is_listed_with_how_to_open_it() -> None:
    cameras = DVXplorer(serial="ONE"), DAVIS346(), Silky(serial="SIX"), NewDavis(serial="")
    with emulated(*cameras):
        (header, *lines), err = printed("devices")[0].splitlines(), printed("devices")[1]
    assert err == ""
    assert header.split() == ["camera", "driver", "serial", "firmware", "opened", "with", "rights"]
    assert [line.split() for line in lines] == [
        ["DVXplorer", "inivation", "ONE", "0.08", "usb:inivation/ONE", "yes"],
        ["DAVIS", "inivation", "00000346", "0.06", "usb:inivation/00000346", "yes"],
        ["SilkyEvCam", "metavision", "SIX", "0.08", "usb:metavision/SIX", "yes"],
        ["DVS132S", "none", "0.08", "yes"],
    ]


@emulated_test
def test_as_json() -> None:
    with emulated(DAVIS346(), NewDavis(serial="NEW")):
        davis, new = json.loads(printed("devices", "--json")[0])
    assert davis == {
        "model": "DAVIS",
        "driver": "inivation",
        "url": "usb:inivation/00000346",
        "vendor": "152a",
        "product": "841a",
        "bus": 1,
        "address": 2,
        "serial": "00000346",
        "firmware": "0.06",
        "problem": "",
    }
    assert (new["driver"], new["url"], new["serial"]) == (None, None, "NEW")


@emulated_test
def test_where_there_is_none_that_is_said() -> None:
    with emulated():
        assert printed("devices") == ("no camera is plugged in\n", "")
        assert printed("devices", "--json") == ("[]\n", "")


@emulated_test
def test_a_camera_that_one_may_not_use_says_so() -> None:
    with emulated(DVXplorer()) as cameras:
        printed("devices")  # loads what nobody may not
        cameras.forbid()
        root = os.geteuid() == 0
        if root:
            os.seteuid(65_534)
        try:
            out, err = printed("devices")
        finally:
            if root:
                os.seteuid(0)
    assert "usb:inivation/1:2  you have no rights to use it" in out
    assert err == "aevents doctor says how to mend that\n"


def test_without_libusb_the_command_to_install_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libusb.loaded.cache_clear()
    monkeypatch.setattr(libusb, "find", lambda: None)
    out, err = printed("devices", code=1)
    assert (out, err) == (
        "",
        "aevents: libusb is not installed: pip install 'aevents[usb]'\n",
    )


def on_a_terminal(command: list[str]) -> tuple[bytes, bytes]:
    """Return what a command prints, and what it says meanwhile on a terminal."""
    terminal, end = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        said = b""
        with suppress(OSError):  # the other end is closed
            while data := os.read(terminal, 1 << 16):
                said += data
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(terminal)
    assert process.returncode == 0, said
    return out, said


BLOCK = 48


def in_the_corner(sensor: Sensor) -> EventBatch:
    """Return a second of ON events, that are all in the upper left corner."""
    count = 200_000
    t, (x, y) = np.arange(count) * 5, np.random.default_rng(1).integers(BLOCK, size=(2, count))
    return EventBatch.from_columns(t=t, x=x, y=y, p=np.ones(count), sensor=sensor)


@emulated_test
def test_what_a_camera_sees_becomes_a_video_with_figures_meanwhile() -> None:
    sensors = Sensor(640, 480), Sensor(346, 260), Sensor(1280, 720)
    left, middle, right = ([in_the_corner(sensor)] for sensor in sensors)
    cameras = DVXplorer(left, serial="ONE"), DAVIS346(middle), EVK4(right)
    with emulated(*cameras), TemporaryDirectory() as folder:
        for serial, sensor in zip(("ONE", "00000346", "00050042"), sensors, strict=True):
            url, path = f"usb:/{serial}", Path(folder, f"{serial}.mp4")
            frames = ["--window-us", "20000", "--frames", "signed", "--take", "20"]
            command = [sys.executable, "-m", "aevents", "run", url, *frames, "--to", str(path)]
            out, said = on_a_terminal(command)
            assert b"frames/s" in said
            assert f"wrote    {path}".encode() in out
            video = list(aevents.open(path, kind=Frame).blocking())
            assert [frame.shape[:2] for frame in video] == [(sensor.height, sensor.width)] * 20
            seen = np.mean([np.asarray(frame, np.float64) for frame in video], axis=0)
            assert seen[8 : BLOCK - 8, 8 : BLOCK - 8].mean() > seen[BLOCK + 8 :].mean() + 30
