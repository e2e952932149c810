"""Which cameras Metavision HAL serves, and what can be said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import msgspec

from aevents.cameras.settings import parsed
from aevents.types import EventBatch, TriggerBatch

if TYPE_CHECKING:
    from aevents.cameras.libusb import UsbDevice
    from aevents.cameras.metavision_camera import MetavisionCamera

NAMES: Mapping[tuple[int, int], str] = {
    (0x1409, 0x8E00): "uEye XCP-E EVS",
    (0x31F7, 0x0003): "SilkyEvCam",
}
"""Cameras on USB that nothing else serves, by vendor and product: their makers have plug-ins."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a camera; what is not said is as HAL has it.

    `biases` are by name, as in Prophesee's software; `roi` is left, top, width and height of the
    only pixels to send events; `event_rate` is how many events a second may come at most.
    `triggers` come if they are asked for, unless this says otherwise. `decoded` says whether HAL
    decodes; unless given, it does where we cannot. `queue` is how many pieces of at most 128 KiB
    may wait for the reader.
    """

    biases: Mapping[str, int] = {}
    roi: tuple[int, int, int, int] | None = None
    event_rate: Annotated[int, msgspec.Meta(ge=1, lt=1 << 32)] | None = None
    triggers: bool | None = None
    decoded: bool | None = None
    queue: Annotated[int, msgspec.Meta(ge=1, le=1 << 16)] = 512


OF_CAMERAS = ("biases", "roi", "event_rate", "triggers")
"""Settings that mean nothing to a recording."""


def settings_of(
    kind: type, options: Mapping[str, object], /, *, recording: bool = False
) -> Settings:
    """Return options, which may be text as in a URL, as settings.

    Raises `ValueError`, also for a kind that does not come, and for what a recording has not.
    """
    if not any(issubclass(each, kind) for each in (EventBatch, TriggerBatch)):
        raise ValueError(f"metavision: there is no {kind.__name__}")
    if recording and (strange := [name for name in OF_CAMERAS if name in options]):
        raise ValueError(f"metavision: a recording has no {', '.join(strange)}")
    return parsed(options, Settings, of="metavision")


def prepare(
    kind: type, options: Mapping[str, object], /
) -> Callable[[UsbDevice], MetavisionCamera]:
    """Return what opens a camera on USB for items of a kind; see `Settings` for the options.

    Raises `ValueError` for others.
    """
    settings = settings_of(kind, options)

    def open(device: UsbDevice) -> MetavisionCamera:
        from aevents.cameras.metavision_camera import open_camera  # takes long, in a worker

        return open_camera(device.serial, kind, settings)

    return open
