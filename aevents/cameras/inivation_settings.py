"""What can be set of iniVation's cameras, and the parameters of libcaer that stand for it.

Modules and parameters are those of libcaer's headers, `devices/davis.h`, `dvxplorer.h` and
`dvs128.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol

import msgspec

from aevents.cameras.settings import check_roi, parsed
from aevents.types import Frame, ImuBatch, TriggerBatch

USB, QUEUE, PACKETS = -1, -2, -3
"""Modules of libcaer itself: those of a camera have numbers from 0 on."""
DVS, APS, IMU, INPUT = 1, 2, 3, 4
DVX_CROP = 21
QUEUE_SIZE, PACKET_EVENTS, PACKET_US, TRANSFER_BYTES = 0, 0, 1, 1
FRAMES_RUN, EXPOSURE, FRAME_INTERVAL, AUTO_EXPOSURE = 4, 12, 13, 101
FRAMES_ROI, EVENTS_ROI, CROP_ROI = (8, 9, 10, 11), (41, 42, 43, 44), (3, 1, 4, 2, 0)
"""Left, top, right and bottom, which are inside, and a switch."""
IMU_RUN = (2, 3, 4)
RISING, FALLING, PULSES = 1, 2, 3
"""Parameters of these modules."""
LOGIC_VERSION = (0xC0, 0xBF, 6, 0)
"""The request that reads a parameter, and which."""
COARSE, FINE = 12, 4
VOLTAGE, CURRENT = 0, 6
"""Where these begin in the number of a bias, of 3, 8, 6 and 3 bits."""


def _numbered(names: str, start: int = 0) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), start)}


DVX_BIASES = _numbered(
    "range_log range_sf range_on range_nrst range_loga range_logd level_sf level_noff amp on off"
) | {"simple": 20}
DVS128_BIASES = _numbered("cas injgnd reqpd pux diffoff req refr puy diffon diff foll pr")
DAVIS240_BIASES = _numbered(
    "diffbn onbn offbn apscasepc diffcasbnc apsrosfbn localbufbn pixinvbn prbp prsfbp refrbp "
    "aepdbn lcoltimeoutbn aepuxbp aepuybp ifthrbn ifrefrbn padfollbn apsoverflowlevelbn biasbuffer"
)
DAVIS346_VOLTAGES = _numbered("apsoverflowlevel apscas adcrefhigh adcreflow adctestvoltage")
DAVIS346_CURRENTS = _numbered(
    "localbufbn padfollbn diffbn onbn offbn pixinvbn prbp prsfbp refrbp readoutbufbp apsrosfbn "
    "adccompbp colsellowbn dacbufbp lcoltimeoutbn aepdbn aepuxbp aepuybp ifrefrbn ifthrbn",
    8,
)
DAVIS346_BIASES = DAVIS346_VOLTAGES | DAVIS346_CURRENTS | {"biasbuffer": 34}
DAVIS240_CHIPS, DAVIS346_CHIPS, DVX_CHIPS = (0, 1, 2), (4, 5, 9), (19, 20)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said of a camera; what is not said is as libcaer recommends it.

    `frames`, `imu` and `triggers` come if they are asked for, unless these say otherwise. `biases`
    are numbers by name; those of a DAVIS may be pairs, of coarse and fine current, or of voltage
    and current. `roi` is left, top, width and height of the only pixels to send events and frames.
    Data come every `interval_us`, and `queue` such pieces, or the next power of two, wait for the
    reader; `transfer_bytes` is what is asked of USB at once. `exposure_us` and `frame_interval_us`
    are those of the frames.
    """

    frames: bool | None = None
    imu: bool | None = None
    triggers: bool | None = None
    biases: Mapping[str, int | tuple[int, int]] = {}
    roi: tuple[int, int, int, int] | None = None
    interval_us: Annotated[int, msgspec.Meta(ge=1)] = 1_000
    queue: Annotated[int, msgspec.Meta(ge=1)] = 512
    transfer_bytes: Annotated[int, msgspec.Meta(ge=512)] | None = None
    exposure_us: int | None = None
    frame_interval_us: int | None = None


def settings_of(options: Mapping[str, object], /) -> Settings:
    """Return options, which may be text as in a URL, as settings. Raises `ValueError`.

    >>> settings_of({"biases": "onbn:5/200,simple:3", "roi": "10,20,100x80", "imu": "no"}).biases
    {'onbn': (5, 200), 'simple': 3}
    """
    return parsed(options, Settings)


class About(msgspec.Struct, frozen=True):
    """What a camera says of itself; `chip` is 0 where there is only one."""

    serial: str
    width: int
    height: int
    chip: int = 0
    imu: bool = False


class Parameters(Protocol):
    """What can be read and set: of a module, a parameter."""

    def get(self, module: int, parameter: int, /) -> int:
        """Return a value. Raises `DeviceError`."""

    def set(self, module: int, parameter: int, value: int, /) -> None:
        """Set a value. Raises `DeviceError`."""


class Family(msgspec.Struct, frozen=True):
    """Cameras that are configured alike: their number in libcaer and the function that describes
    them, and what they have; `biases` are by the number of the chip. `question` is a control
    request that asks for something harmless.
    """

    name: str
    number: int
    about: str
    bias_module: int
    biases: Mapping[int, Mapping[str, int]]
    roi: Mapping[int, tuple[int, ...]] = {}
    kinds: tuple[type, ...] = ()
    question: tuple[int, int, int, int] | None = None

    def prepare(self, camera: Parameters, about: About, settings: Settings) -> None:
        """Set what is to be set before data come. Raises `ValueError` for what it has not."""
        self._check(settings)
        camera.set(PACKETS, PACKET_EVENTS, 0)
        camera.set(PACKETS, PACKET_US, settings.interval_us)
        camera.set(QUEUE, QUEUE_SIZE, 1 << (settings.queue - 1).bit_length())
        if settings.transfer_bytes is not None:
            camera.set(USB, TRANSFER_BYTES, settings.transfer_bytes)
        for name, value in settings.biases.items():
            self._set_bias(camera, about, name, value)
        if settings.roi:
            self._set_roi(camera, about, settings.roi)
        if settings.exposure_us is not None:
            camera.set(APS, AUTO_EXPOSURE, 0)
            camera.set(APS, EXPOSURE, settings.exposure_us)
        if settings.frame_interval_us is not None:
            camera.set(APS, FRAME_INTERVAL, settings.frame_interval_us)

    def choose(self, camera: Parameters, about: About, settings: Settings, kind: type) -> None:
        """Set which kinds of data come; before they do, and after."""
        if TriggerBatch in self.kinds:
            edges = _wanted(settings.triggers, TriggerBatch, kind)
            for parameter, on in ((RISING, edges), (FALLING, edges), (PULSES, False)):
                camera.set(INPUT, parameter, on)
        if about.imu and not _wanted(settings.imu, ImuBatch, kind):
            for parameter in IMU_RUN:
                camera.set(IMU, parameter, 0)
        if Frame in self.kinds and not _wanted(settings.frames, Frame, kind):
            camera.set(APS, FRAMES_RUN, 0)

    def _check(self, settings: Settings) -> None:
        asked = {
            Frame: (settings.frames, settings.exposure_us, settings.frame_interval_us),
            ImuBatch: (settings.imu,),
            TriggerBatch: (settings.triggers,),
        }
        for kind, values in asked.items():
            if kind not in self.kinds and any(value not in (None, False) for value in values):
                raise ValueError(f"a {self.name} sends no {kind.__name__}")

    def _set_bias(
        self, camera: Parameters, about: About, name: str, value: int | tuple[int, int]
    ) -> None:
        known = self.biases.get(about.chip, {})
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise ValueError(f"a {self.name} has no bias {name!r} that is known; known: {names}")
        number = known[name]
        if isinstance(value, tuple):
            old = camera.get(self.bias_module, number)
            value = _pair(old, value, voltage=name in DAVIS346_VOLTAGES)
        camera.set(self.bias_module, number, value)

    def _set_roi(self, camera: Parameters, about: About, roi: tuple[int, int, int, int]) -> None:
        left, top, width, height = roi
        right, bottom = left + width - 1, top + height - 1
        check_roi(roi, about.width, about.height)
        if not self.roi:
            raise ValueError(f"a {self.name} has no roi")
        for module, parameters in self.roi.items():
            for parameter, value in zip(parameters, (left, top, right, bottom, 1), strict=False):
                camera.set(module, parameter, value)


def _wanted(said: bool | None, kind: type, asked: type) -> bool:
    return issubclass(kind, asked) if said is None else said


def _pair(old: int, pair: tuple[int, int], *, voltage: bool) -> int:
    """Return the number of a bias with these two in it, and the rest as it was."""
    fields = ((VOLTAGE, 6), (CURRENT, 3)) if voltage else ((COARSE, 3), (FINE, 8))
    for value, (shift, bits) in zip(pair, fields, strict=True):
        if not 0 <= value < 1 << bits:
            raise ValueError(f"a bias of {pair}: {value} does not fit {bits} bits")
        old = old & ~((1 << bits) - 1 << shift) | value << shift
    return old


DVXPLORER = Family(
    "DVXplorer",
    8,
    "caerDVXplorerInfoGet",
    23,
    dict.fromkeys(DVX_CHIPS, DVX_BIASES),
    {DVX_CROP: CROP_ROI},
    (TriggerBatch, ImuBatch),
    LOGIC_VERSION,
)
DAVIS = Family(
    "DAVIS",
    4,
    "caerDavisInfoGet",
    5,
    dict.fromkeys(DAVIS240_CHIPS, DAVIS240_BIASES) | dict.fromkeys(DAVIS346_CHIPS, DAVIS346_BIASES),
    {DVS: EVENTS_ROI, APS: FRAMES_ROI},
    (TriggerBatch, ImuBatch, Frame),
    LOGIC_VERSION,
)
DVS128 = Family("DVS128", 0, "caerDVS128InfoGet", 1, {0: DVS128_BIASES})
