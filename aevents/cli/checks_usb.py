"""What a machine is asked about cameras: the libraries, the rights, and each camera."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from aevents.cameras import libcaer, libusb, metavision_bridge
from aevents.cameras.rules import command_for, without_rule
from aevents.cli.checks import Finding, State
from aevents.errors import AeventsError, DeviceError, MissingExtraError
from aevents.sources.usb import DRIVERS, Plugged, plugged_in

INSTALL = "pip install 'aevents[inivation]'"
LIBCAER = "set AEVENTS_LIBCAER to the path of a libcaer that can be loaded, or unset it"


def cameras() -> Iterator[Finding]:
    """Look at what cameras need, and at each that is plugged in."""
    plugged, finding = _plugged_in()
    yield finding
    makers = {one.driver.name for one in plugged}
    yield caer(wanted="inivation" in makers)
    yield metavision(wanted="metavision" in makers)
    if sys.platform == "linux":
        yield from rules(plugged)
    yield from map(camera, plugged)


def _plugged_in() -> tuple[list[Plugged], Finding]:
    place = libusb.find()
    if place is None:
        return [], Finding("libusb", "optional", "not found", INSTALL)
    try:
        return plugged_in(), Finding("libusb", "good", place)
    except (AeventsError, OSError) as error:
        return [], Finding("libusb", "mend", f"{place}: {error}", INSTALL)


def caer(*, wanted: bool) -> Finding:
    """Tell where libcaer is; `wanted` says that there is a camera for it."""
    place = libcaer.find()
    if place is None:
        how = f"{INSTALL}, or install libcaer"
        return Finding("libcaer", "mend" if wanted else "optional", "not found", how)
    try:
        libcaer.library()
    except AeventsError as error:
        return Finding("libcaer", "mend", str(error), LIBCAER)
    return Finding("libcaer", "good", place)


def metavision(*, wanted: bool) -> Finding:
    """Tell where Metavision HAL is, and whether there is a bridge to it; `wanted` says that there
    is a camera for it.
    """
    state: State = "mend" if wanted else "optional"
    found = metavision_bridge.find()
    if found is None:
        return Finding("metavision", state, "not found", metavision_bridge.INSTALL)
    place = f"{found.version} in {found.folder}"
    try:
        metavision_bridge.library()
    except MissingExtraError as error:
        state = "mend" if found.bridge.is_file() else state
        return Finding("metavision", state, f"{place}: {error}")
    except DeviceError as error:
        return Finding("metavision", state, str(error), metavision_bridge.INSTALL)
    return Finding("metavision", "good", place)


def rules(plugged: Iterable[Plugged]) -> Iterator[Finding]:
    """Tell of each driver whether a rule of udev lets its cameras be used."""
    refused = {one.driver.name for one in plugged if one.device.problem}
    for driver in DRIVERS:
        name = f"udev, {driver.name}"
        if missing := without_rule(driver.models):
            ids = ", ".join(f"{vendor:04x}:{product:04x}" for vendor, product in missing)
            state: State = "mend" if driver.name in refused else "optional"
            found = f"only root may use {ids}"
            yield Finding(name, state, found, command_for(driver.name, driver.models))
        else:
            yield Finding(name, "good", "a rule gives you rights")


def camera(one: Plugged) -> Finding:
    """Tell whether a camera can be opened."""
    if not one.device.problem:
        return Finding("camera", "good", one.name)
    how = "mend udev, if there is something, and plug the camera in again"
    return Finding("camera", "mend", f"{one.name}: {one.device.problem}", how)
