"""What Prophesee's RAW formats share: how a header names one, and what a new header says."""

from __future__ import annotations

from collections.abc import Callable

from aevents.codecs.base import SNIFF_BYTES, Watch
from aevents.codecs.header import Header, parse_header
from aevents.types import Sensor


def matches_raw(format: str) -> Callable[[bytes], bool]:
    """Return a function that says whether some first bytes are a RAW header of this format."""

    def matches(head: bytes) -> bool:
        if not head.startswith(b"% "):
            return False
        header = parse_header(
            head[: SNIFF_BYTES - 16] + b"\n% end\n", Watch("raw", strict=False), final=True
        )
        return header is not None and header.format == format

    return matches


def begin_raw(format: str, header: Header, watch: Watch) -> None:
    """Fail if the header speaks of another format than this."""
    if header.format not in ("", format):
        watch.fail(f"the header says {header.format}")


def raw_lines(format: str, version: str, sensor: Sensor) -> dict[str, str]:
    """Return the lines of a header that Prophesee's software and others accept."""
    size = f";height={sensor.height};width={sensor.width}" if sensor.sized else ""
    geometry = {"geometry": f"{sensor.width}x{sensor.height}"} if sensor.sized else {}
    return {
        "camera_integrator_name": "Prophesee",
        "plugin_integrator_name": "Prophesee",
        "plugin_name": "hal_plugin_prophesee",
        "evt": version,
        "format": f"{format}{size}",
        **geometry,
        **({"serial_number": sensor.serial} if sensor.serial else {}),
        **({"sensor_name": sensor.name} if sensor.name else {}),
    }
