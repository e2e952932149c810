"""What formats have room for, so that it can be known before a file is written."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aevents.types import EventBatch


class Limits(msgspec.Struct, frozen=True):
    """What a file of a format can take, so far as that can be told before it is written.

    `kinds` are types of items; where there are several rows of them, a file takes those of one row.
    `options` are what the encoder has to be told for some types. Columns are below `width`, rows
    below `height`; triggers have one of these `edges` (input and value); times are `start_us` and
    later, and none is more than `back_us` before, or `leap_us` after, the one before it (the first:
    after 0). None is no limit. `sized` says that the sensor's size must be known, and events lie on
    it.
    """

    kinds: tuple[tuple[type, ...], ...] = ((EventBatch,),)
    options: Mapping[type, Mapping[str, object]] = {}
    width: int = 1 << 16
    height: int = 1 << 16
    edges: frozenset[tuple[int, bool]] | None = None
    start_us: int | None = None
    back_us: int | None = None
    leap_us: int | None = None
    sized: bool = False


def edges_of(inputs: int) -> frozenset[tuple[int, bool]]:
    """Return both edges of each of so many trigger inputs."""
    return frozenset((input, value) for input in range(inputs) for value in (False, True))
