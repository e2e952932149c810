"""What is found of cameras and of what they need."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aevents import DeviceError, MissingExtraError
from aevents.cameras import libcaer, libusb, metavision_bridge
from aevents.cameras.libusb import UsbDevice
from aevents.cameras.metavision_bridge import Sdk
from aevents.cli import checks_usb
from aevents.cli.checks import Finding
from aevents.sources.usb import DRIVERS, Plugged
from aevents.testing.cameras import DVXplorer, emulated
from tests.cameras.test_metavision_bridge import sdk_of
from tests.emulated import emulated_test
from tests.hal.sdk import StandIn

GOOD = Plugged(DRIVERS[0], UsbDevice(0x152A, 0x8419, 1, 2, "ONE"))
SILKY = Plugged(DRIVERS[2], UsbDevice(0x31F7, 0x0003, 1, 4, "SIX"))
REFUSED = Plugged(DRIVERS[0], UsbDevice(0x152A, 0x8419, 1, 3, "", "you have no rights"))


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine where all is well, with one camera."""
    monkeypatch.setattr(libusb, "find", lambda: "libusb.so")
    monkeypatch.setattr(libcaer, "find", lambda: "libcaer.so")
    monkeypatch.setattr(libcaer, "library", lambda: None)
    monkeypatch.setattr(metavision_bridge, "find", lambda: Sdk(Path("/opt/mv"), "5.1.1"))
    monkeypatch.setattr(metavision_bridge, "library", lambda: None)
    monkeypatch.setattr(checks_usb, "plugged_in", lambda: [GOOD])
    monkeypatch.setattr(checks_usb, "without_rule", lambda _: [])
    monkeypatch.setattr(sys, "platform", "linux")


def test_where_all_is_well_nothing_is_to_be_mended() -> None:
    assert list(checks_usb.cameras()) == [
        Finding("libusb", "good", "libusb.so"),
        Finding("libcaer", "good", "libcaer.so"),
        Finding("metavision", "good", "5.1.1 in /opt/mv"),
        *(Finding(f"udev, {one.name}", "good", "a rule gives you rights") for one in DRIVERS),
        Finding("camera", "good", "DVXplorer (usb:inivation/ONE)"),
    ]


def test_without_cameras_and_libraries_that_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (libusb, libcaer, metavision_bridge):
        monkeypatch.setattr(module, "find", lambda: None)
    usb, caer, metavision, *_ = checks_usb.cameras()
    assert (usb.state, caer.state, metavision.state) == ("optional",) * 3
    assert "OpenEB 5" in metavision.how
    assert "pip install 'aevents[inivation]'" in usb.how
    assert "pip install 'aevents[inivation]'" in caer.how


def test_a_camera_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcaer, "find", lambda: None)
    found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["libcaer"].state == "mend"


@pytest.mark.parametrize("error", [DeviceError("libusb cannot begin"), OSError("no ELF file")])
def test_a_libusb_that_fails_is_to_be_mended(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[Plugged]:
        raise error

    monkeypatch.setattr(checks_usb, "plugged_in", fail)
    first, *others = checks_usb.cameras()
    assert (first.state, first.found) == ("mend", f"libusb.so: {error}")
    assert all(finding.name != "camera" for finding in others)


def test_a_libcaer_that_cannot_be_loaded_is_to_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise MissingExtraError("libcaer at libcaer.so (no ELF file)", "set AEVENTS_LIBCAER")

    monkeypatch.setattr(libcaer, "library", fail)
    found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["libcaer"].state == "mend"
    assert "no ELF file" in found["libcaer"].found


def test_a_bridge_to_metavision_is_to_be_built_and_to_be_mended_for_a_camera(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sdk_of("5.2.0", tmp_path, monkeypatch)
    (found, camera) = (checks_usb.metavision(wanted=wanted) for wanted in (False, True))
    assert (found.state, camera.state) == ("optional", "mend")
    said = "the bridge to Metavision 5.2.0 is not installed: aevents doctor --build metavision"
    assert found.found == f"5.2.0 in {tmp_path}: {said}"
    bridge = metavision_bridge.sdk().bridge
    bridge.parent.mkdir(parents=True)
    bridge.write_bytes(b"no ELF file")
    assert checks_usb.metavision(wanted=False).state == "mend"
    sdk_of("4.6.2", tmp_path, monkeypatch)
    assert "too old" in checks_usb.metavision(wanted=False).found


def test_metavision_is_wanted_by_who_has_a_camera_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metavision_bridge, "find", lambda: None)
    monkeypatch.setattr(checks_usb, "plugged_in", lambda: [SILKY])
    found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["metavision"].state == "mend"
    assert found["camera"].found == "SilkyEvCam (usb:metavision/SIX)"


def test_a_bridge_that_is_built_is_good(hal: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("AEVENTS_METAVISION", str(hal.folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(hal.folder.parent / "cache"))
    found = Finding("metavision", "good", f"5.1.1 in {hal.folder}")
    assert checks_usb.metavision(wanted=True) == found


def test_a_rule_is_wanted_by_who_has_no_rights_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_usb, "without_rule", lambda _: [(0x152A, 0x8419)])
    found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["udev, inivation"].state == "optional"
    assert found["udev, inivation"].found == "only root may use 152a:8419"
    monkeypatch.setattr(checks_usb, "plugged_in", lambda: [REFUSED])
    found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["udev, inivation"].state == "mend"
    assert "65-inivation.rules" in found["udev, inivation"].how
    assert found["camera"] == Finding(
        "camera",
        "mend",
        "DVXplorer (usb:inivation/1:3): you have no rights",
        "mend udev, if there is something, and plug the camera in again",
    )


def test_other_systems_have_no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not any(finding.name.startswith("udev") for finding in checks_usb.cameras())


@emulated_test
def test_a_real_libusb_finds_an_emulated_camera() -> None:
    with emulated(DVXplorer(serial="ONE")):
        found = {finding.name: finding for finding in checks_usb.cameras()}
    assert found["camera"] == Finding("camera", "good", "DVXplorer (usb:inivation/ONE)")
    assert "libusb" in found["libusb"].found
    assert "caer" in found["libcaer"].found
