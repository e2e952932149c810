"""A stand-in for an SDK of Metavision: headers and libraries in a folder, and cameras plugged in.

Its HAL plays recordings. Our bridge is compiled against it, as it would be against the vendor's.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cffi import FFI

from aevents.cameras.metavision_bridge import LIBRARIES
from aevents.codecs.evt2 import Evt2Encoder
from aevents.codecs.evt3 import Evt3Encoder
from aevents.codecs.evt4 import Evt4Encoder
from aevents.codecs.evt21 import Evt21Encoder
from aevents.types import EventBatch, TriggerBatch

HERE = Path(__file__).parent
FULL = "Prophesee:hal_plugin_prophesee:"
ENCODERS = {
    "evt2": Evt2Encoder,
    "evt21": Evt21Encoder,
    "evt3": Evt3Encoder,
    "evt4": Evt4Encoder,
}
CONTROLS = """
void hal_plug(const char *serial, const char *path, size_t buffer, int endless);
void hal_unplug(const char *serial);
void hal_trouble(const char *where, int ms);
const char *hal_state(const char *serial);
"""
ffi = FFI()
ffi.cdef(CONTROLS)


class StandIn:
    """An SDK in a folder, and its HAL in this process."""

    def __init__(self, folder: Path, *, build: bool = True) -> None:
        self.folder = folder
        hal = folder / "lib" / "libmetavision_hal.so"
        if build:
            _lay_out(folder)
            _compile(folder, hal)
        self._calls: Any = ffi.dlopen(str(hal))
        self._recordings = 0
        self.plugged: set[str] = set()

    def recording(self, items: Iterable[EventBatch | TriggerBatch], format: str = "evt3") -> Path:
        """Return a new RAW file of these."""
        self._recordings += 1
        path = self.folder / f"{self._recordings}.raw"
        encoder = ENCODERS[format]()
        with path.open("wb") as file:
            for item in items:
                file.writelines(encoder.feed(item))
            file.writelines(encoder.flush())
        return path

    def plug(
        self, serial: str, path: Path, *, buffer: int = 1 << 12, endless: bool = False
    ) -> None:
        """Plug in a camera that plays a RAW file."""
        self.plugged.add(serial)
        self._calls.hal_plug((FULL + serial).encode(), str(path).encode(), buffer, endless)

    def unplug(self, *serials: str) -> None:
        """Pull cameras out."""
        for serial in serials:
            self.plugged.remove(serial)
            self._calls.hal_unplug((FULL + serial).encode())

    def trouble(self, where: str = "", *, opening_ms: int = 0) -> None:
        """Fail at `list`, `open`, `start` or `decode`, or nowhere; open as slowly as this."""
        self._calls.hal_trouble(where.encode(), opening_ms)

    def state(self, serial: str) -> dict[str, str]:
        """Return how a camera is set, and whether it streams."""
        text = ffi.string(self._calls.hal_state((FULL + serial).encode())).decode()
        return dict(line.split(" ", 1) for line in text.splitlines())


def _lay_out(folder: Path) -> None:
    (folder / "lib").mkdir(parents=True)
    pieces = re.split(r"^//// (.*)\n", (HERE / "headers.h").read_text(), flags=re.MULTILINE)
    for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
        path = folder / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _compile(folder: Path, hal: Path) -> None:
    command = ["c++", "-std=c++17", "-O1", "-shared", "-fPIC", "-pthread"]
    include = f"-I{folder / 'include'}"
    subprocess.run([*command, include, str(HERE / "hal.cpp"), "-o", str(hal)], check=True)
    for name in set(LIBRARIES) - {"metavision_hal"}:  # they are needed, and all is in that one
        path = folder / "lib" / f"lib{name}.so"
        subprocess.run([*command, "-xc++", "/dev/null", "-o", str(path)], check=True)
