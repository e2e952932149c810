"""libcaer, iniVation's library, as it is on this machine: found and bound at run time.

It is looked for at `$AEVENTS_LIBCAER`, then inside the wheel `event-camera-drivers`, then in the
system. Everything here blocks, and may be called from any thread.
"""

from __future__ import annotations

import ctypes.util
import os
import threading
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from cffi import FFI

from aevents._native.wake import Wake
from aevents.cameras.inivation_settings import About
from aevents.errors import DeviceError, MissingExtraError, missing_extra

DECLARATIONS = """
typedef struct caer_device_handle *caerDeviceHandle;
struct caer_davis_info {
    int16_t deviceID; char serial[9]; uint8_t bus, address; char *deviceString;
    int16_t firmware, logic, chip; _Bool isMaster, muxHasStatistics; int16_t width, height;
    _Bool hasPixelFilter, hasBackgroundFilter, hasROI, hasSkip, hasPolarity, hasStatistics;
    int16_t frameWidth, frameHeight; int colorFilter; _Bool hasGlobalShutter; int imu;
    _Bool hasGenerator;
};
struct caer_dvx_info {
    int16_t deviceID; char serial[9]; uint8_t bus, address; char *deviceString;
    int16_t firmware, logic, chip; _Bool isMaster, muxHasStatistics; int16_t width, height;
    _Bool hasStatistics; int imu; _Bool hasGenerator;
};
struct caer_dvs128_info {
    int16_t deviceID; char serial[9]; uint8_t bus, address; char *deviceString;
    int16_t firmware; _Bool isMaster; int16_t width, height;
};
struct caer_davis_info caerDavisInfoGet(caerDeviceHandle handle);
struct caer_dvx_info caerDVXplorerInfoGet(caerDeviceHandle handle);
struct caer_dvs128_info caerDVS128InfoGet(caerDeviceHandle handle);
caerDeviceHandle caerDeviceOpen(
    uint16_t id, uint16_t type, uint8_t bus, uint8_t address, const char *serial);
_Bool caerDeviceClose(caerDeviceHandle *handle);
_Bool caerDeviceSendDefaultConfig(caerDeviceHandle handle);
_Bool caerDeviceConfigSet(caerDeviceHandle handle, int8_t module, uint8_t parameter, uint32_t to);
_Bool caerDeviceConfigGet(caerDeviceHandle handle, int8_t module, uint8_t parameter, uint32_t *is);
_Bool caerDeviceDataStart(caerDeviceHandle handle, void *increase, void *decrease, void *user,
                          void *shutdown, void *shutdown_user);
_Bool caerDeviceDataStop(caerDeviceHandle handle);
void caerLogLevelSet(int level);
void caerLogCallbackSet(void (*callback)(const char *message, size_t length));
void caerLogFileDescriptorsSet(int first, int second);
void free(void *);
"""
PACKED = """
struct caer_event_packet_header {
    int16_t type, source;
    int32_t size, time, overflow, capacity, number, valid;
};
struct caer_event_packet_container {
    int64_t lowest, highest; int32_t events, valid, packets;
    struct caer_event_packet_header *packet[];
};
struct caer_event_packet_container *caerDeviceDataGet(caerDeviceHandle handle);
"""
HEADER_BYTES = 28
INFO = 6
"""The level of messages that tells of lost packets, and not yet of what goes well."""
OVERRUN = "ring-buffer full"

ffi: FFI = FFI()
"""It knows the types of libcaer when `library` has been called: to read these takes 10 ms."""
_loading = threading.Lock()


class Libcaer:
    """The library at a path, and what it has told since it was loaded.

    Its messages are for all cameras of a process; those that name a camera are counted for that.
    """

    def __init__(self, path: str, /) -> None:
        self.calls: Any = ffi.dlopen(path)
        self.free: Any = ffi.dlopen(None).free
        self.overruns: Counter[str] = Counter()
        self.ids: Iterator[int] = count(1)
        self.opening: threading.Lock = threading.Lock()
        self.problems: list[str] = []
        self._callback = ffi.callback("void(const char *, size_t)", self._told)
        self.calls.caerLogLevelSet(INFO)
        self.calls.caerLogFileDescriptorsSet(-1, -1)
        self.calls.caerLogCallbackSet(self._callback)

    def _told(self, message: object, length: int) -> None:
        """Take note of `2026-11-21 17:54:38 (TZ+0000): LEVEL: CAMERA: TEXT`; another thread
        calls.
        """
        line = ffi.unpack(message, length).decode("utf-8", "replace").rstrip()
        _, level, camera, text = (line.split(": ", 3) + [""] * 3)[:4]
        if OVERRUN in text:
            self.overruns[camera] += 1
        elif level == "CRITICAL" and self.opening.locked():
            self.problems.append(text)


def library() -> Libcaer:
    """Return the library. It blocks. Raises `MissingExtraError` if there is none."""
    with _loading:  # by one who opens a camera, while another opens one
        declare()
        return loaded()


@cache
def declare() -> None:
    """Let `ffi` know the types of libcaer."""
    ffi.cdef(DECLARATIONS)
    ffi.cdef(PACKED, packed=True)


@cache
def loaded() -> Libcaer:
    """Load the library, for `library`."""
    path = find()
    if path is None:
        raise missing_extra("libcaer", "inivation")
    try:
        return Libcaer(path)
    except OSError as error:
        raise MissingExtraError(f"libcaer at {path} ({error})", "set AEVENTS_LIBCAER") from error


def find() -> str | None:
    """Return where the library is, by path or by name; None if nobody knows."""
    return os.environ.get("AEVENTS_LIBCAER") or _in_wheel() or ctypes.util.find_library("caer")


def _in_wheel() -> str | None:
    """Return the library that the wheel `event-camera-drivers` brings, without importing that."""
    wheel = find_spec("event_camera_drivers")
    if wheel is None or wheel.origin is None:
        return None
    beside = Path(wheel.origin).parent.with_suffix(".libs")
    return next((str(path) for path in beside.glob("libcaer-*.so*")), None)


class Handle:
    """An open camera. Raises `DeviceError` when it cannot be opened, or refuses something."""

    def __init__(self, type: int, bus: int, address: int, /) -> None:
        self._library = library()
        self._calls = self._library.calls
        self._id = next(self._library.ids) % 30_000 + 1
        with self._library.opening:  # so that what is told meanwhile is of this one
            self._library.problems.clear()
            opened = self._calls.caerDeviceOpen(self._id, type, bus, address, ffi.NULL)
            problems = list(self._library.problems)
        if opened == ffi.NULL:
            raise DeviceError(problems[0] if problems else "libcaer does not say why")
        self._opened = ffi.new("caerDeviceHandle *", opened)
        self._wake: Wake | None = None
        self.name: str = ""

    @property
    def overruns(self) -> int:
        """How many containers of packets were lost because nobody took them in time."""
        return self._library.overruns[self.name]

    def about(self, getter: str, /) -> About:
        """Return what the camera says of itself, by the function of libcaer for its type."""
        info = getattr(self._calls, getter)(self._opened[0])
        self.name = ffi.string(info.deviceString).decode()
        chip, imu = getattr(info, "chip", 0), bool(getattr(info, "imu", 0))
        return About(ffi.string(info.serial).decode(), info.width, info.height, chip, imu)

    def set_defaults(self) -> None:
        """Configure the camera as libcaer recommends."""
        if not self._calls.caerDeviceSendDefaultConfig(self._opened[0]):
            raise DeviceError(f"{self.name}: the camera does not take its configuration")

    def set(self, module: int, parameter: int, value: int) -> None:
        """Set one parameter."""
        if not self._calls.caerDeviceConfigSet(self._opened[0], module, parameter, value):
            raise DeviceError(f"{self.name}: {module}.{parameter} cannot be set to {value}")

    def get(self, module: int, parameter: int) -> int:
        """Return one parameter."""
        value = ffi.new("uint32_t *")
        if not self._calls.caerDeviceConfigGet(self._opened[0], module, parameter, value):
            raise DeviceError(f"{self.name}: {module}.{parameter} cannot be read")
        return int(value[0])

    def start(self, wake: Wake) -> None:
        """Let data come; `wake` is called when there are some, and when there will be no more."""
        come, end, user = (ffi.cast("void *", at) for at in (wake.come, wake.end, wake.argument))
        if not self._calls.caerDeviceDataStart(self._opened[0], come, ffi.NULL, user, end, user):
            raise DeviceError(f"{self.name}: the data do not begin to come")
        self._wake = wake

    def take(self) -> Container | None:
        """Return what has come next; None if nothing has. It does not block."""
        container = self._calls.caerDeviceDataGet(self._opened[0])
        return None if container == ffi.NULL else Container(container, self._library.free)

    def close(self) -> None:
        """Stop what has been started, and give the camera back."""
        if self._wake is not None:
            self._calls.caerDeviceDataStop(self._opened[0])
        self._calls.caerDeviceClose(self._opened)
        self._library.overruns.pop(self.name, None)


class Container:
    """Some packets that have come together; `with` frees them."""

    def __init__(self, memory: Any, free: Any, /) -> None:  # noqa: ANN401  # cffi's
        self._memory = memory
        self._free = free

    def __enter__(self) -> Iterator[memoryview]:
        memory = self._memory
        each = (memory.packet[index] for index in range(memory.packets))
        return (
            memoryview(ffi.buffer(packet, HEADER_BYTES + packet.size * packet.number))
            for packet in each
            if packet != ffi.NULL
        )

    def __exit__(self, *_: object) -> None:
        for index in range(self._memory.packets):
            self._free(self._memory.packet[index])
        self._free(self._memory)
