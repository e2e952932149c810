"""What AEDAT 1 to 3 share: the header of `#` lines, and the sizes of the cameras that they name.

    #!AER-DAT2.0                 the version; 1.0 where this line is missing
    # AEChip: …  #Source 1: …    keys and values, CR LF after each
    #End Of ASCII Header         the last line, in newer files; AEDAT 3: #!END-HEADER

Without that last line, the header ends at the first line that is none: it does not begin with `#`,
or it is no text (a data word may begin with the byte of `#`). Specified in iniVation's
documentation of AEDAT.
"""

from __future__ import annotations

import re

from aevents.codecs.base import Buffer, Watch
from aevents.types import Sensor

LINE_BYTES = 65_536
"""A line of a header has some hundreds of bytes."""
HEADER_BYTES = 1 << 22
"""jAER writes all preferences of a camera into the header: that is some 100 kB."""
NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LAST_LINES = ("#End Of ASCII Header", "#!END-HEADER")

SIZES = {
    "dvs128": (128, 128),
    "davis128": (128, 128),
    "davis208": (208, 192),
    "davis240": (240, 180),
    "davis346": (346, 260),
    "davis640": (640, 480),
    "sbret10": (240, 180),  # jAER's first name for the DAVIS240
}
"""Width and height of a camera, by how its name begins in lower case."""


class AedatHeader:
    """Takes bytes until the header has ended: `whole`.

    `length` is where the data begins, `fields` are the values by lower-case key.
    """

    __slots__ = ("_bytes", "_watch", "fields", "length", "version", "whole")

    def __init__(self, watch: Watch) -> None:
        self.version: str = "1.0"
        self.fields: dict[str, str] = {}
        self.length: int = 0
        self.whole: bool = False
        self._bytes = bytearray()
        self._watch = watch

    def feed(self, data: Buffer, *, final: bool = False) -> bytes | None:
        """Take some bytes, `final` if there are no more; return those that follow the header, or
        None while it goes on.

        Fails on a line or a header that is too long.
        """
        self._bytes += data
        while not self.whole:
            line = self._next_line(final=final)
            if line is None:
                return None
            self._take(line)
        return bytes(self._bytes)

    def sensor(self, camera: str) -> Sensor:
        """Return the sensor of this name, without a size where we do not know it."""
        known = [size for name, size in SIZES.items() if camera.lower().startswith(name)]
        return Sensor(*(known[0] if known else (0, 0)), camera)

    def _next_line(self, *, final: bool) -> bytes | None:
        """Return the next line, empty at the end of the header; None while it is not all there."""
        if not self._bytes:
            return b"" if final else None
        if self._bytes[:1] != b"#":
            return b""
        end = self._bytes.find(b"\n", 0, LINE_BYTES) + 1
        if not end and not final and len(self._bytes) < LINE_BYTES:
            return None
        line = bytes(self._bytes[: end or LINE_BYTES])
        if NO_TEXT.search(line):
            return b""
        if not end and len(line) == LINE_BYTES:
            self._watch.fail(f"a line is longer than {LINE_BYTES} bytes", offset=self.length)
        if not end:
            self._watch.torn(len(line), self.length)
        return line

    def _take(self, line: bytes) -> None:
        del self._bytes[: len(line)]
        text = line.decode("latin-1").strip()
        self.whole = not line or text in LAST_LINES
        version = re.match(r"#!AER-DAT(\d\.\d)", text)
        if version and not self.length:
            self.version = version[1]
        key, colon, value = text.strip("#! ").partition(":")
        if colon:
            self.fields[key.strip().lower()] = value.strip()
        self.length += len(line)
        if self.length > HEADER_BYTES:
            self._watch.fail(f"the header is longer than {HEADER_BYTES} bytes")
