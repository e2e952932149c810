"""The bridge to Metavision HAL, Prophesee's library: compiled here against the SDK of this machine.

The SDK, Metavision's or OpenEB, is looked for in the folder `$AEVENTS_METAVISION`, else in
/usr/local and /usr. The bridge is in C++ (`metavision_bridge.cpp`), since HAL is, and is kept among
the caches of the user, by the version of the SDK and its own contents. Everything here blocks, and
may be called from any thread.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from cffi import FFI

from aevents._cache import cache_folder
from aevents._native.wake import Wake
from aevents.errors import DeviceError, DeviceLostError, MissingExtraError

HEADER = Path(__file__).with_suffix(".h")
SOURCE = Path(__file__).with_suffix(".cpp")
FOLDERS = ("/usr/local", "/usr")
VERSION = "include/metavision/sdk/version.h"
NEEDED = "include/metavision/hal/device/device_discovery.h"
LIBRARIES = ("metavision_hal_discovery", "metavision_hal", "metavision_sdk_base")
OLDEST = 5
"""The major version of the SDK; before that, HAL gives its data otherwise."""
COMPILERS = ("c++", "g++", "clang++")
FLAGS = ("-std=c++17", "-O2", "-shared", "-fPIC", "-pthread")
INSTALL = "install OpenEB 5 or the Metavision SDK, and set AEVENTS_METAVISION to its folder"
BUILD = "aevents doctor --build metavision"
SAID_LINES = 20
"""Of a compiler that fails, so many lines are told."""

ffi: FFI = FFI()
"""It knows what the header declares once a bridge has been loaded."""
_loading = threading.Lock()


class Sdk(msgspec.Struct, frozen=True):
    """An SDK that is installed: in which folder, and its version."""

    folder: Path
    version: str

    @property
    def bridge(self) -> Path:
        """Where the bridge to it is, once it has been built."""
        told = [str(self.folder).encode(), HEADER.read_bytes(), SOURCE.read_bytes()]
        digest = hashlib.sha256(b"\0".join(told)).hexdigest()[:12]
        return cache_folder() / "metavision" / f"{self.version}-{digest}.so"


def find() -> Sdk | None:
    """Return the SDK of this machine; None if there is none."""
    given = os.environ.get("AEVENTS_METAVISION")
    for folder in (given,) if given else FOLDERS:
        if Path(folder, NEEDED).is_file():
            return Sdk(Path(folder), _version(Path(folder, VERSION)))
    return None


def sdk() -> Sdk:
    """Return the SDK of this machine. Raises `MissingExtraError`, and `DeviceError` for one that
    is too old.
    """
    found = find()
    if found is None:
        raise MissingExtraError("Metavision HAL", INSTALL)
    if int(found.version.partition(".")[0]) < OLDEST:
        told = f"Metavision {found.version} in {found.folder} is too old"
        raise DeviceError(f"{told}: {OLDEST}.0 is the oldest that is served")
    return found


def build() -> Path:
    """Compile the bridge, and return where it is; it takes some seconds.

    Raises `MissingExtraError` where the SDK or a compiler is missing, and `DeviceError` with what
    the compiler says if that fails.
    """
    against = sdk()
    path = against.bridge
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder, path.name)
        command = [_compiler(), *FLAGS, str(SOURCE), "-o", str(made), *_places(against.folder)]
        command += [f"-l{name}" for name in LIBRARIES]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[:SAID_LINES])
            raise DeviceError(f"the bridge to Metavision cannot be compiled: {command[0]}:\n{said}")
        made.replace(path)  # whole, or not at all
    return path


def library() -> Any:  # noqa: ANN401  # cffi's libraries have no types
    """Return the bridge. Raises `MissingExtraError` where it has not been built, or cannot be
    loaded, and `DeviceError` for an SDK that is too old.
    """
    against = sdk()
    path = against.bridge
    if not path.is_file():
        raise MissingExtraError(f"the bridge to Metavision {against.version}", BUILD)
    with _loading:
        return _loaded(path)


@cache
def _loaded(path: Path) -> Any:  # noqa: ANN401
    _declare()
    try:
        return ffi.dlopen(str(path))
    except OSError as error:
        raise MissingExtraError(f"the bridge to Metavision ({error})", BUILD) from error


@cache
def _declare() -> None:
    ffi.cdef(HEADER.read_text())


def _version(header: Path) -> str:
    text = header.read_text() if header.is_file() else ""
    found = dict(re.findall(r"#define METAVISION_SDK_VERSION_(MAJOR|MINOR|PATCH) +(\d+)", text))
    return ".".join(found.get(part, "0") for part in ("MAJOR", "MINOR", "PATCH"))


def _compiler() -> str:
    for name in (os.environ.get("CXX", ""), *COMPILERS):
        if name and (found := shutil.which(name)):
            return found
    raise MissingExtraError("a C++ compiler", "install g++ or clang, or set CXX to one")


def _places(folder: Path) -> list[str]:
    """Return where the compiler finds the SDK, and the loader too, for libraries that it needs."""
    places = [f"-I{folder / 'include'}", f"-L{folder / 'lib'}", f"-Wl,-rpath,{folder / 'lib'}"]
    return [*places, *(["-Wl,--disable-new-dtags"] if sys.platform == "linux" else [])]


def listed() -> list[str]:
    """Return the serial numbers of the cameras that HAL sees, as INTEGRATOR:PLUGIN:SERIAL.

    Raises `DeviceError`, and what `library` raises.
    """
    bridge = library()
    return _text(bridge, bridge.ae_hal_list()).splitlines()


class Hal:
    """A camera, or a recording, that HAL has open. Raises `DeviceError` when it cannot be opened,
    or refuses something.
    """

    def __init__(self, name: str, /, *, recording: bool = False) -> None:
        self._bridge = library()
        open = self._bridge.ae_hal_open_recording if recording else self._bridge.ae_hal_open
        self._camera = open(os.fsencode(name))
        if self._camera == ffi.NULL:
            raise DeviceError(_problem(self._bridge))
        self._piece = ffi.new("ae_hal_piece *")

    @property
    def header(self) -> bytes:
        """What a RAW file of it begins with."""
        return _text(self._bridge, self._bridge.ae_hal_header(self._camera)).encode()

    @property
    def biases(self) -> dict[str, int]:
        """The biases by name, as they are."""
        lines = _text(self._bridge, self._bridge.ae_hal_biases(self._camera)).splitlines()
        return {name: int(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    @property
    def overruns(self) -> int:
        """How many pieces were dropped because nobody took them in time."""
        return int(self._bridge.ae_hal_overruns(self._camera))

    def set_bias(self, name: str, value: int) -> None:
        """Set a bias."""
        self._check(self._bridge.ae_hal_set_bias(self._camera, name.encode(), value))

    def set_roi(self, roi: tuple[int, int, int, int]) -> None:
        """Let only these pixels send events: left, top, width and height."""
        self._check(self._bridge.ae_hal_set_roi(self._camera, *roi))

    def set_event_rate(self, rate: int) -> None:
        """Let at most so many events come a second."""
        self._check(self._bridge.ae_hal_set_event_rate(self._camera, rate))

    def watch_edges(self) -> None:
        """Let edges on the input come."""
        self._check(self._bridge.ae_hal_watch_edges(self._camera))

    def start(self, wake: Wake, *, decoded: bool, queue: int) -> None:
        """Let data come; `wake` is called when there are some, and when there will be no more."""
        come, argument = (ffi.cast("void *", at) for at in (wake.come, wake.argument))
        come = ffi.cast("void (*)(void *)", come)
        self._check(self._bridge.ae_hal_start(self._camera, decoded, queue, come, argument))

    def take(self) -> Any:  # noqa: ANN401
        """Return the `ae_hal_piece` that has come next, good until the next call; None if nothing
        has. It does not block. Raises `EOFError` at the end of a recording, and `DeviceLostError`.
        """
        found = self._bridge.ae_hal_next(self._camera, self._piece)
        if found < 0:
            raise DeviceLostError(_problem(self._bridge))
        if found == self._bridge.AE_HAL_END:
            raise EOFError
        return self._piece if found == self._bridge.AE_HAL_PIECE else None

    def close(self) -> None:
        """Stop it, and give it back."""
        self._bridge.ae_hal_close(self._camera)

    def _check(self, code: int) -> None:
        if code < 0:
            raise DeviceError(_problem(self._bridge))


def _text(bridge: Any, text: Any) -> str:  # noqa: ANN401
    if text == ffi.NULL:
        raise DeviceError(_problem(bridge))
    return bytes(ffi.string(text)).decode("utf-8", "replace")


def _problem(bridge: Any) -> str:  # noqa: ANN401
    return bytes(ffi.string(bridge.ae_hal_problem())).decode("utf-8", "replace").strip()
