"""Metavision HAL as a source: `metavision:`, for the cameras that it sees, and its recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aevents._contracts import Origin
from aevents.cameras.metavision import Settings, settings_of
from aevents.cameras.reopen import Item, ReopeningCamera, ReopeningSource, patience_of
from aevents.cameras.source import BlockingCamera, Camera, CameraSource
from aevents.errors import DeviceError, DeviceNotFoundError
from aevents.types import EventBatch, Sensor

if TYPE_CHECKING:
    from aevents.cameras.metavision_camera import MetavisionCamera

RECORDING = ".raw"


def open_url(
    rest: str,
    /,
    *,
    kind: type = EventBatch,
    sensor: Sensor | None = None,
    reopen: float | str = False,
    **options: object,
) -> Origin[object]:
    """Return the source that a URL names: `metavision:` the only camera that HAL sees,
    `metavision:00050042` that with this serial number, `metavision:street.raw` a recording.

    `kind` is `EventBatch`, `TriggerBatch` or `object`, for both. `reopen` is as for `usb:`. Other
    options are those of `aevents.cameras.metavision.Settings`; a recording has only `decoded` and
    `queue`. Raises `ValueError` for an option that is none. Reading raises `MissingExtraError`
    where HAL is not there, or no bridge to it has been built, `DeviceNotFoundError`, `DeviceError`
    when something cannot be opened, and `DeviceLostError` when a camera is unplugged.
    """
    if sensor is not None:
        raise ValueError("metavision: HAL tells the sensor itself")
    patience = patience_of(reopen)
    if rest.endswith(RECORDING):
        if patience:
            raise ValueError("metavision: a recording is not lost: reopen is for cameras")
        return _recording(rest, kind, options)
    settings = settings_of(kind, options)

    def opener() -> Callable[[], Camera[Item]]:
        return _Opener(rest, kind, settings).open

    return Origin(
        f"metavision:{rest}",
        waiting=lambda: ReopeningSource(opener(), patience) if patience else CameraSource(opener()),
        blocking=lambda: (
            ReopeningCamera(opener(), patience) if patience else BlockingCamera(opener())
        ),
        live=True,
    )


def _recording(path: str, kind: type, options: Mapping[str, object]) -> Origin[object]:
    settings = settings_of(kind, options, recording=True)

    def open() -> MetavisionCamera:
        from aevents.cameras.metavision_camera import MetavisionCamera  # takes long, in a worker

        try:
            return MetavisionCamera(path, kind, settings, recording=True)
        except DeviceError as error:
            raise DeviceError(f"metavision:{path}: {error}") from error

    return Origin(
        f"metavision:{path}",
        waiting=lambda: CameraSource(open),
        blocking=lambda: BlockingCamera(open),
    )


class _Opener:
    """Opens a camera: the same one again, once it has been opened."""

    def __init__(self, serial: str, kind: type, settings: Settings) -> None:
        self._serial = serial
        self._kind = kind
        self._settings = settings

    def open(self) -> MetavisionCamera:
        """Return the open camera. It blocks, and raises what reading raises."""
        from aevents.cameras.metavision_camera import open_camera  # takes long, in a worker

        try:
            camera = open_camera(self._serial, self._kind, self._settings)
        except DeviceNotFoundError:
            raise
        except DeviceError as error:
            raise DeviceError(f"metavision:{self._serial}: {error}") from error
        self._serial = camera.name
        return camera
