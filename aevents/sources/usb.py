"""Cameras on USB: which are plugged in, which driver serves each, and `usb:` as a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from aevents._contracts import Origin
from aevents.cameras import inivation, metavision, prophesee
from aevents.cameras.reopen import Item, ReopeningCamera, ReopeningSource, patience_of
from aevents.cameras.source import BlockingCamera, Camera, CameraSource
from aevents.errors import DeviceError, DeviceNotFoundError
from aevents.types import EventBatch, Sensor

if TYPE_CHECKING:
    from aevents.cameras.libusb import UsbDevice


class Driver(msgspec.Struct, frozen=True):
    """How cameras of one maker are used: the names of its models by vendor and product; `prepare`
    looks at options, raising `ValueError`, and returns what opens a device for items of a kind.
    """

    name: str
    models: Mapping[tuple[int, int], str]
    prepare: Callable[[type, Mapping[str, object]], Callable[[UsbDevice], Camera[object]]]


DRIVERS: Sequence[Driver] = (
    Driver("inivation", inivation.NAMES, inivation.prepare),
    Driver("prophesee", prophesee.NAMES, prophesee.prepare),
    Driver("metavision", metavision.NAMES, metavision.prepare),
)


class Plugged(msgspec.Struct, frozen=True):
    """A camera that is plugged in, and the driver that serves it."""

    driver: Driver
    device: UsbDevice

    @property
    def url(self) -> str:
        """What opens it, and no other."""
        place = self.device.serial or f"{self.device.bus}:{self.device.address}"
        return f"usb:{self.driver.name}/{place}"

    @property
    def model(self) -> str:
        """What a person calls it."""
        return self.driver.models[self.device.vendor, self.device.product]

    @property
    def name(self) -> str:
        """What a person calls it, and how to open it."""
        return f"{self.model} ({self.url})"


def plugged_in(drivers: Sequence[Driver] = DRIVERS, /) -> list[Plugged]:
    """Return the cameras that are plugged in and that these drivers serve. It blocks.

    Raises `MissingExtraError` where libusb is missing, and `DeviceError` where that fails.
    """
    from aevents.cameras.libusb import devices  # cffi takes 20 ms, which a worker has

    by_model = {model: driver for driver in drivers for model in driver.models}
    return [Plugged(by_model[one.vendor, one.product], one) for one in devices(by_model)]


def open_url(
    rest: str,
    /,
    *,
    kind: type = EventBatch,
    sensor: Sensor | None = None,
    reopen: float | str = False,
    **options: object,
) -> Origin[object]:
    """Return the source that a URL names: `usb:` the only camera, `usb:inivation` the only one of
    that driver, `usb:inivation/00000336` that with this serial number, or `usb:/00000336`.

    `kind` says what is wanted of it. If it is unplugged while it streams, `reopen` waits for so
    many seconds, or for ever if `True` (`yes`), until this camera is there again, and goes on: that
    is a gap in the `Report` (`gaps`, `gap_us`), and times go on by wall time. Other options are the
    driver's. Raises `ValueError` for a driver or an option that is none. Reading raises
    `DeviceNotFoundError`, `DeviceLostError` when it is unplugged, `DeviceError` when it cannot be
    opened, and `MissingExtraError`.
    """
    if sensor is not None:
        raise ValueError("usb: a camera tells its sensor itself")
    name, _, serial = rest.partition("/")
    drivers = [one for one in DRIVERS if name in ("", one.name)]
    if not drivers:
        known = ", ".join(one.name for one in DRIVERS)
        raise ValueError(f"usb: {name!r} is no driver; known: {known}")
    _check(drivers, kind, options)
    patience = patience_of(reopen)

    def opener() -> Callable[[], Camera[Item]]:
        return _Opener(drivers, serial, kind, options).open

    if patience:
        return Origin(
            f"usb:{rest}",
            waiting=lambda: ReopeningSource(opener(), patience),
            blocking=lambda: ReopeningCamera(opener(), patience),
            live=True,
        )
    return Origin(
        f"usb:{rest}",
        waiting=lambda: CameraSource(opener()),
        blocking=lambda: BlockingCamera(opener()),
        live=True,
    )


class _Opener:
    """Finds a camera, and opens it: the same one again, once it has been opened."""

    def __init__(
        self, drivers: Sequence[Driver], serial: str, kind: type, options: Mapping[str, object]
    ) -> None:
        self._drivers = drivers
        self._serial = serial
        self._kind = kind
        self._options = options

    def open(self) -> Camera[Item]:
        """Return the open camera. It blocks, and raises what reading raises."""
        one = _chosen(plugged_in(self._drivers), self._serial)
        open = one.driver.prepare(self._kind, self._options)
        if one.device.problem:
            raise DeviceError(f"{one.name}: {one.device.problem}")
        try:
            camera = open(one.device)
        except DeviceError as error:
            raise DeviceError(f"{one.name}: {error}") from error
        self._drivers, self._serial = [one.driver], one.device.serial
        return cast("Camera[Item]", camera)  # drivers give nothing else


def _check(drivers: Sequence[Driver], kind: type, options: Mapping[str, object]) -> None:
    """Raise `ValueError` for what none of these drivers can do: it is told of at once."""
    problems: list[str] = []
    for one in drivers:
        try:
            one.prepare(kind, options)
        except ValueError as error:
            problems.append(str(error))
        else:
            return
    raise ValueError("\n".join(problems))


def _chosen(cameras: Sequence[Plugged], serial: str) -> Plugged:
    fit = [one for one in cameras if not serial or one.url.endswith(f"/{serial}")]
    if len(fit) == 1:
        return fit[0]
    names = [one.name for one in cameras]
    if fit:
        raise DeviceNotFoundError("there are several cameras: say which", names)
    raise DeviceNotFoundError(f"no camera {serial}".rstrip(), names)
