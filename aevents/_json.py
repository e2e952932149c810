"""What is written of an item as JSON: of a result its record, of anything else what it holds.

JSON Lines, an item a line in UTF-8: https://jsonlines.org
"""

from __future__ import annotations

from typing import cast

import msgspec
import numpy as np

from aevents.errors import EncodeError
from aevents.operators.results import Result


def json_of(item: object, /) -> bytes:
    """Return one line of JSON, without its end. Arrays become lists.

    Raises `EncodeError` for what JSON has no word for.
    """
    whole = item.record() if isinstance(item, Result) else item
    try:
        return _ENCODER.encode(whole)
    except (TypeError, ValueError) as error:
        raise EncodeError("json", f"a {type(item).__name__} does not fit: {error}") from error


class JsonLines:
    """An encoder of results, or of whatever JSON knows: a line each. Raises `EncodeError` for what
    JSON has no word for.
    """

    def feed(self, item: object, /) -> tuple[bytes]:
        """Give the line of an item."""
        return (json_of(item) + b"\n",)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return cast("object", value.tolist())
    raise TypeError(f"a {type(value).__name__} is nothing that JSON knows")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
