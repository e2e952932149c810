"""Cameras of iniVation: DVXplorer, DAVIS and DVS128, through libcaer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aevents.cameras.inivation_settings import DAVIS, DVS128, DVXPLORER, Family, settings_of

if TYPE_CHECKING:
    from aevents.cameras.inivation_camera import InivationCamera
    from aevents.cameras.libusb import UsbDevice

MODELS: Mapping[tuple[int, int], Family] = {
    (0x152A, 0x8419): DVXPLORER,
    (0x152A, 0x841A): DAVIS,
    (0x152A, 0x841B): DAVIS,
    (0x152A, 0x8400): DVS128,
}
NAMES: Mapping[tuple[int, int], str] = {at: family.name for at, family in MODELS.items()}
"""By vendor and product."""


def prepare(kind: type, options: Mapping[str, object], /) -> Callable[[UsbDevice], InivationCamera]:
    """Return what opens a camera for items of a kind; see `Settings` for the options.

    Raises `ValueError` for others.
    """
    settings = settings_of(options)

    def open(device: UsbDevice) -> InivationCamera:
        from aevents.cameras.inivation_camera import InivationCamera  # 30 ms, which a worker has

        return InivationCamera(device, kind, settings)

    return open
