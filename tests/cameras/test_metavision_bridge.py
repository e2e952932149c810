"""The bridge to Metavision HAL: found, compiled and loaded; and what it says when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents import DeviceError, DeviceLostError, MissingExtraError, Sensor
from aevents._native.wake import Wake
from aevents.cameras import metavision_bridge
from aevents.cameras.metavision_bridge import Hal, build, find, library, listed, sdk
from aevents.testing import example_events
from tests.hal.sdk import FULL, StandIn

HD = Sensor(1280, 720)


def sdk_of(version: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an SDK of a version, with nothing in its headers."""
    for name in (metavision_bridge.NEEDED, metavision_bridge.VERSION):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    parts = zip(("MAJOR", "MINOR", "PATCH"), version.split("."), strict=True)
    lines = [f"#define METAVISION_SDK_VERSION_{part} {number}\n" for part, number in parts]
    (folder / metavision_bridge.VERSION).write_text("".join(lines))
    monkeypatch.setenv("AEVENTS_METAVISION", str(folder))


def test_the_sdk_is_found_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk_of("5.2.0", tmp_path, monkeypatch)
    found = find()
    assert found is not None
    assert (found.folder, found.version) == (tmp_path, "5.2.0")
    monkeypatch.delenv("AEVENTS_METAVISION")
    monkeypatch.setattr(metavision_bridge, "FOLDERS", (str(tmp_path / "no"), str(tmp_path)))
    assert sdk() == found


def test_where_there_is_none_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AEVENTS_METAVISION", str(tmp_path))
    assert find() is None
    with pytest.raises(MissingExtraError, match="Metavision HAL is not installed: install OpenEB"):
        library()


def test_an_old_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk_of("4.6.2", tmp_path, monkeypatch)
    for use in (build, listed):
        with pytest.raises(DeviceError, match=r"4\.6\.2 in .* too old: 5\.0 is the oldest"):
            use()


def test_before_it_is_built_it_is_said_how(
    hal: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library() is library()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"5\.1\.1 is not.*aevents doctor --build metav"):
        library()


def test_without_a_compiler_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk_of("5.2.0", tmp_path, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"a C\+\+ compiler is not installed"):
        build()


def test_what_a_compiler_says_is_told_and_nothing_is_left(
    hal: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk_of("5.2.0", tmp_path / "sdk", monkeypatch)  # whose headers are not there
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DeviceError, match=r"cannot be compiled: .*\n(.*\n)*.*metavision/hal"):
        build()
    assert list((tmp_path / "cache" / "aevents" / "metavision").iterdir()) == []


def test_what_cannot_be_loaded_is_to_be_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk_of("5.2.0", tmp_path, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = sdk().bridge
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no ELF file")
    with pytest.raises(MissingExtraError, match=r"bridge to Metavision \(.*doctor --build"):
        library()


def test_cameras_are_listed_by_their_full_names(hal: StandIn) -> None:
    path = hal.recording([example_events(10, sensor=HD)])
    hal.plug("ONE", path)
    hal.plug("TWO", path)
    assert listed() == [f"{FULL}ONE", f"{FULL}TWO"]
    hal.trouble("list")
    with pytest.raises(DeviceError, match="no luck with list"):
        listed()


def test_what_hal_refuses_is_an_error_in_its_words(hal: StandIn) -> None:
    hal.plug("ONE", hal.recording([example_events(10, sensor=HD)]))
    camera = Hal(f"{FULL}ONE")
    try:
        with pytest.raises(DeviceError, match="HAL does not set bias_fo to 300"):
            camera.set_bias("bias_fo", 300)
        with pytest.raises(DeviceError, match="HAL does not limit the event rate"):
            camera.set_event_rate(3)
        with pytest.raises(DeviceError, match="the camera is in use"):
            Hal(f"{FULL}ONE")
    finally:
        camera.close()


def test_what_a_device_has_not_is_told(hal: StandIn) -> None:
    recording = Hal(str(hal.recording([example_events(10, sensor=HD)])), recording=True)
    try:
        for use in (lambda: recording.biases, recording.watch_edges):
            with pytest.raises(DeviceError, match=r"it has no (biases|trigger input)"):
                use()
    finally:
        recording.close()
    with pytest.raises(DeviceError, match=r"Unable to open RAW file '/nowhere\.raw'"):
        Hal("/nowhere.raw", recording=True)


def test_it_is_read_piece_by_piece(hal: StandIn) -> None:
    path = hal.recording([example_events(1_000, sensor=HD)])
    said = path.read_bytes()
    hal.plug("ONE", path, buffer=100)
    wake, camera = Wake(), Hal(f"{FULL}ONE")
    assert b"% geometry 1280x720\n" in camera.header
    camera.start(wake, decoded=False, queue=512)
    found = b""
    while len(found) < len(said) - said.index(b"% end\n") - 6:
        piece = camera.take()
        if piece is not None:
            assert piece.bytes <= 100
            found += bytes(metavision_bridge.ffi.buffer(piece.data, piece.bytes))
    assert said.endswith(found)
    assert camera.overruns == 0
    hal.unplug("ONE")
    with pytest.raises(DeviceLostError, match="disconnected"):
        while camera.take() is None:
            pass
    camera.close()
    wake.close()
