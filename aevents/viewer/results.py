"""What models say, as pages get it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aevents._json import json_of
from aevents.errors import EncodeError
from aevents.operators.results import Result
from aevents.viewer.messages import Box, Said

MOST_BYTES = 16_384
"""Of a value; a larger one is told in a few words."""
MOST_BOXES = 1_000


class Seen(msgspec.Struct, frozen=True):
    """What a page draws of a value: an object with these attributes, or a table with these keys."""

    boxes: Sequence[Box] = ()
    labels: Sequence[str] = ()


def said(show: int, result: Result[object]) -> Said:
    """Return a result as a message: its value in JSON, and the boxes and labels in it."""
    error = result.error
    told = None if error is None else f"{type(error).__name__}: {error}"
    value = _plain(result.value)
    seen = _seen(value)
    return Said(
        show, result.model, result.span.start, result.span.stop, value, seen.boxes[:MOST_BOXES],
        seen.labels[:MOST_BOXES], told, result.latency_us, result.skipped,
    )  # fmt: skip


def _plain(value: object) -> object:
    """Return a value in the words of JSON; as text what it has none for."""
    try:
        text = json_of(value)
    except EncodeError:
        text = msgspec.json.encode(repr(value))
    if len(text) > MOST_BYTES:
        return f"a {type(value).__name__} of {len(text):,} bytes"
    decoded: object = msgspec.json.decode(text)
    return decoded


def _seen(value: object) -> Seen:
    try:
        return msgspec.convert(value, Seen)
    except msgspec.ValidationError:
        return Seen()
