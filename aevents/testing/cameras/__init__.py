"""Emulated cameras: models that say what a camera says, and a bus on which real drivers find them.

A program that `umockdev-wrapper` has started sees them as if they were plugged in:

    with emulated(DVXplorer([batch])):
        async for batch in aevents.open("usb:"):
            ...
"""

from __future__ import annotations

from aevents.testing.cameras.emulation import EmulatedCameras, emulated, preloaded
from aevents.testing.cameras.inivation import DAVIS346, DVXplorer
from aevents.testing.cameras.prophesee import EVK3, EVK4
from aevents.testing.cameras.usb import Fault, UsbModel

__all__ = [
    "DAVIS346",
    "EVK3",
    "EVK4",
    "DVXplorer",
    "EmulatedCameras",
    "Fault",
    "UsbModel",
    "emulated",
    "preloaded",
]
