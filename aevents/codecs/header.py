"""The text header of Prophesee's files (RAW and DAT): lines `% key value`, then binary.

`% end` closes it; without, it ends at the first line that does not begin with `% ` (both bytes: a
data word may begin with `%` alone). Specified in Prophesee's documentation of the RAW and DAT
formats.
"""

from __future__ import annotations

import re

import msgspec

from aevents.codecs.base import SNIFF_BYTES, Watch
from aevents.types import Sensor

_GENERATIONS = {
    "21": (640, 480),
    "22": (640, 480),
    "23": (640, 480),
    "28": (640, 480),
    "29": (640, 480),
}
"""Sensors by `system_ID`, for old files that name no size; 48 and above are 1280x720."""


class Header(msgspec.Struct, frozen=True):
    """What the lines say, by lower-case key, and where the binary part begins."""

    fields: dict[str, str]
    length: int

    @property
    def format(self) -> str:
        """`"EVT3"` and the like, from `format EVT3;…` or `evt 3.0`; empty if the header does not
        say.
        """
        named = self.fields.get("format", "").partition(";")[0].strip().upper()
        if named:
            return named
        version = self.fields.get("evt", "").strip()
        return {"2.0": "EVT2", "2.1": "EVT21", "3.0": "EVT3", "4.0": "EVT4"}.get(version, "")

    @property
    def options(self) -> dict[str, str]:
        """What follows the name in the line `format`: `width=1280` and the like."""
        return dict(re.findall(r"(\w+)=(\w+)", self.fields.get("format", "")))

    @property
    def t0(self) -> int:
        """Time to add to every event (µs): the key `t0`, which faery writes."""
        value = self.fields.get("t0", "0")
        return int(value) if value.isdecimal() else 0

    def sensor(self) -> Sensor:
        """Return the sensor: from the options of `format`, `geometry`, `width` and `height`, or the
        system's number.
        """
        width, height = self._size()
        serial = self.fields.get("serial_number", "")
        return Sensor(width, height, self.fields.get("sensor_name", ""), serial)

    def _size(self) -> tuple[int, int]:
        options = self.options
        geometry = re.fullmatch(r"(\d+)x(\d+)", self.fields.get("geometry", "").strip())
        named = geometry.groups() if geometry else (None, None)
        width = options.get("width") or named[0] or self.fields.get("width", "")
        height = options.get("height") or named[1] or self.fields.get("height", "")
        if _is_size(width) and _is_size(height):
            return int(width), int(height)
        return _size_of_system(self.fields)


def parse_header(data: bytes, watch: Watch, *, final: bool) -> Header | None:
    """Return the header at the beginning of `data`, or None while it is not all there (unless
    `final`).
    """
    fields: dict[str, str] = {}
    start = 0
    while data[start : start + 2] == b"% ":
        end = data.find(b"\n", start, SNIFF_BYTES)
        if end < 0:
            if final or len(data) >= SNIFF_BYTES:
                watch.fail("the header does not end", offset=start)
            return None
        line = data[start + 2 : end].decode("latin-1").strip()
        start = end + 1
        key, _, value = line.partition(" ")
        if key == "end":
            return Header(fields, start)
        fields[key.lower()] = value
    if len(data) < start + 2 and not final:
        return None
    return Header(fields, start)


def write_header(lines: dict[str, str]) -> bytes:
    """Return the header with these lines, in this order, closed by `% end`."""
    return (
        "".join(
            " ".join(("%", key, *value.split())) + "\n" for key, value in lines.items()
        ).encode()
        + b"% end\n"
    )


def _is_size(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) <= 1 << 16


def _size_of_system(fields: dict[str, str]) -> tuple[int, int]:
    plugin = fields.get("plugin_name", "").lower()
    for name, size in (
        ("gen41", (1280, 720)),
        ("imx636", (1280, 720)),
        ("genx320", (320, 320)),
        ("gen3", (640, 480)),
    ):
        if name in plugin:
            return size
    system = fields.get("system_id", "").strip()
    if system.isdecimal() and int(system) >= 48:
        return 1280, 720
    return _GENERATIONS.get(system, (0, 0))
