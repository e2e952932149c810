"""Cameras of Prophesee with the sensor IMX636: EVK4 and EVK3 HD, without any software of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aevents.cameras.imx636 import settings_of
from aevents.types import EventBatch, TriggerBatch

if TYPE_CHECKING:
    from aevents.cameras.libusb import UsbDevice
    from aevents.cameras.prophesee_camera import PropheseeCamera

NAMES: Mapping[tuple[int, int], str] = {(0x04B4, 0x00F4): "EVK3", (0x04B4, 0x00F5): "EVK4"}
"""By vendor, which is that of the USB chip, and product."""


def prepare(kind: type, options: Mapping[str, object], /) -> Callable[[UsbDevice], PropheseeCamera]:
    """Return what opens a camera for items of a kind; see `Settings` for the options.

    Raises `ValueError` for others, and for a kind that these cameras do not send.
    """
    if not any(issubclass(each, kind) for each in (EventBatch, TriggerBatch)):
        raise ValueError(f"usb: a camera of Prophesee sends no {kind.__name__}")
    settings = settings_of(options)

    def open(device: UsbDevice) -> PropheseeCamera:
        from aevents.cameras.prophesee_camera import PropheseeCamera  # 30 ms, which a worker has

        return PropheseeCamera(device, kind, settings)

    return open
