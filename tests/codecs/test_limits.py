"""What formats say that they take is what their encoders take: at each limit, and beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest

from aevents.codecs.base import Codec
from aevents.codecs.limits import edges_of
from aevents.errors import EncodeError
from aevents.registry import codecs
from aevents.testing import encode
from aevents.types import (
    ColourBatch,
    EventBatch,
    ExposureBatch,
    Frame,
    GenericBatch,
    ImuBatch,
    Sensor,
    Span,
    TriggerBatch,
)

WRITABLE = [codec for codec in codecs() if codec.encoder is not None]
OF_EVENTS = [codec for codec in WRITABLE if EventBatch in chain(*codec.limits.kinds)]
LARGE = Sensor(65_535, 65_535)
SPAN = Span(7, 8)


def events(*times: int, x: int = 1, y: int = 1, sensor: Sensor = LARGE) -> EventBatch:
    ones = np.ones(len(times), np.int64)
    return EventBatch.from_columns(t=list(times), x=ones * x, y=ones * y, p=ones, sensor=sensor)


def triggers(id: int) -> TriggerBatch:
    one = np.ones(1, np.bool_)
    return TriggerBatch(np.array([7]), np.array([id], np.uint8), one, LARGE, SPAN)


def items() -> dict[type, object]:
    """Return one item of each type."""
    t, place, byte = np.array([7]), np.ones(1, np.uint16), np.ones(1, np.uint8)
    vector = np.zeros((1, 3), np.float32)
    return {
        EventBatch: events(7),
        TriggerBatch: triggers(0),
        ImuBatch: ImuBatch(t, vector[:, 0], vector, vector, vector, LARGE, SPAN),
        ExposureBatch: ExposureBatch(t, place, place, byte > 0, LARGE, SPAN),
        ColourBatch: ColourBatch(t, place, place, byte, byte, byte, LARGE, SPAN),
        GenericBatch: GenericBatch(t, (b"a",), SPAN),
        Frame: Frame(np.zeros((3, 4), np.uint8), SPAN, Sensor(4, 3), "intensity"),
    }


def takes(codec: Codec, *written: object) -> bool:
    """Say whether the encoder takes these items."""
    assert codec.encoder is not None
    types = {type(item) for item in written}
    options = {
        key: value for one in types for key, value in codec.limits.options.get(one, {}).items()
    }
    try:
        encode(codec.encoder(**options), written)
    except EncodeError:
        return False
    return True


@pytest.mark.parametrize("codec", WRITABLE, ids=lambda codec: codec.name)
def test_a_file_takes_the_types_of_one_row(codec: Codec) -> None:
    one = items()
    for row in codec.limits.kinds:
        assert takes(codec, *(one[kind] for kind in row))
    taken = {*chain.from_iterable(codec.limits.kinds)}
    assert [kind for kind in one if takes(codec, one[kind])] == [
        kind for kind in one if kind in taken
    ]
    for first, *_ in codec.limits.kinds:
        others = {*chain.from_iterable(row for row in codec.limits.kinds if first not in row)}
        assert not any(takes(codec, one[first], one[kind]) for kind in others)


def edges(codec: Codec) -> Iterator[tuple[object, object]]:
    """Yield what is just within a limit, and what is just beyond it."""
    limits = codec.limits
    if limits.width < 1 << 16:
        yield events(7, x=limits.width - 1), events(7, x=limits.width)
    if limits.height < 1 << 16:
        yield events(7, y=limits.height - 1), events(7, y=limits.height)
    if limits.edges is not None:
        inputs = {input for input, _ in limits.edges}
        yield triggers(max(inputs)), triggers(max(inputs) + 1)
    if limits.start_us is not None:
        yield events(limits.start_us), events(limits.start_us - 1)
    if limits.back_us is not None:
        yield events(limits.back_us, 0), events(limits.back_us + 1, 0)
    if limits.leap_us is not None:
        yield events(limits.leap_us), events(limits.leap_us + 1)
    if limits.sized:
        yield events(7), events(7, sensor=Sensor())
        yield events(7, x=3, sensor=Sensor(4, 4)), events(7, x=4, sensor=Sensor(4, 4))


@pytest.mark.parametrize("codec", WRITABLE, ids=lambda codec: codec.name)
def test_what_is_within_the_limits_is_taken_and_what_is_beyond_is_refused(codec: Codec) -> None:
    for within, beyond in edges(codec):
        assert takes(codec, within), within
        assert not takes(codec, beyond), beyond


@pytest.mark.parametrize("codec", OF_EVENTS, ids=lambda codec: codec.name)
def test_what_has_no_limit_is_taken_however_large(codec: Codec) -> None:
    limits = codec.limits
    if limits.width == limits.height == 1 << 16 and not limits.sized:
        assert takes(codec, events(7, x=65_535, y=65_535))
    if limits.start_us is None:
        assert takes(codec, events(-(1 << 62)))
    if limits.back_us is None:
        assert takes(codec, events(1 << 62, 0))
    if limits.leap_us is None:
        assert takes(codec, events(1 << 62))


def test_an_input_has_two_edges() -> None:
    assert edges_of(2) == {(0, False), (0, True), (1, False), (1, True)}
