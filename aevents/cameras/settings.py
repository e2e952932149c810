"""Options of cameras, which may be text as in a URL, as the settings of a driver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

WORDS = {"yes": True, "no": False}


def parsed(options: Mapping[str, object], settings: type[S], /, *, of: str = "usb") -> S:
    """Return options of a source as settings. Raises `ValueError`."""
    given = {name: WORDS.get(str(value), value) for name, value in options.items()}
    for name, parse in (("biases", _biases), ("roi", _roi)):
        if isinstance(text := given.get(name), str):
            given[name] = parse(text)
    try:
        return msgspec.convert(given, settings, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(settings.__struct_fields__)
        raise ValueError(f"{of}: {error}; known: {known}") from None


def check_roi(roi: tuple[int, int, int, int], width: int, height: int, /) -> None:
    """Raise `ValueError` if a region, by left, top, width and height, is not within a sensor."""
    left, top, *size = roi
    if min(left, top) < 0 or min(size) < 1 or left + size[0] > width or top + size[1] > height:
        raise ValueError(f"roi {roi} is not within {width}x{height}")


def _biases(text: str) -> dict[str, object]:
    pairs = (each.partition(":") for each in text.split(","))
    return {name: tuple(to.split("/")) if "/" in to else to for name, _, to in pairs}


def _roi(text: str) -> list[str]:
    return re.split("[,x]", text)
