"""The laws catch what breaks them, and let pass what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from aevents import Event, EventBatch, Frame, Frames, Origin, Sensor, Span, Window
from aevents.codecs.base import Buffer, Codec, Patch
from aevents.codecs.dat import CODEC as DAT
from aevents.codecs.dat import DatDecoder, DatEncoder
from aevents.testing import (
    assert_same,
    assert_same_events,
    check_codec,
    check_operator,
    check_sink,
    check_source,
    cut_events,
    decode,
    encode,
    example_events,
)

SMALL = example_events(60)


def test_example_events_are_in_order_and_the_same_for_one_seed() -> None:
    batch = example_events(600, sensor=Sensor(64, 48), start_us=5, seed=3)
    assert len(batch) == 600
    assert (batch.t[1:] >= batch.t[:-1]).all()
    assert batch.t[0] >= 5
    assert (batch.x.max() < 64, batch.y.max() < 48) == (True, True)
    assert list(batch) == list(example_events(600, sensor=Sensor(64, 48), start_us=5, seed=3))
    assert list(batch) != list(example_events(600, sensor=Sensor(64, 48), start_us=5, seed=4))


def test_events_are_cut_to_sizes_and_their_spans_follow_on() -> None:
    batch = EventBatch.from_columns(t=[1, 4, 2, 9], x=[0] * 4, y=[0] * 4, p=[1] * 4)
    pieces = list(cut_events(batch, [2, 0, 1]))
    assert [piece.t.tolist() for piece in pieces] == [[1, 4], [], [2], [9]]
    assert [piece.span for piece in pieces] == [Span(1, 4), Span(4, 4), Span(4, 4), Span(4, 10)]
    assert [len(piece) for piece in cut_events(batch, [9])] == [4]


class Numbered:
    """Writes how many bytes came, at the beginning."""

    def __init__(self) -> None:
        self._count = 0

    def feed(self, item: bytes, /) -> Iterator[bytes | Patch]:
        if not self._count:
            yield b"?"
        self._count += len(item)
        yield item

    def flush(self) -> tuple[Patch]:
        return (Patch(0, str(self._count).encode()),)


def test_encode_puts_patches_in_their_place() -> None:
    assert encode(Numbered(), [b"ab", b"c"]) == b"3abc"


class Forgetful(DatDecoder):
    """Loses the record that is cut in two."""

    def feed(self, data: Buffer, /) -> Iterator[object]:  # type: ignore[override]  # as sloppy as it is
        if self._begun:
            data = bytes(data)[: len(data) // 8 * 8]
        yield from super().feed(data)


class Explosive(DatDecoder):
    """Raises another error than it may."""

    def __init__(self) -> None:
        super().__init__()
        self.hurry()

    def flush(self) -> Iterator[object]:  # type: ignore[override]  # as above
        if len(self._bytes):
            raise IndexError("out of range")
        yield from super().flush()


class Shy(DatDecoder):
    """Gives nothing unless all is well."""

    def __init__(self) -> None:
        super().__init__()
        self.hurry()
        self._items: list[object] = []

    def feed(self, data: Buffer, /) -> Iterator[object]:  # type: ignore[override]  # as above
        self._items += super().feed(data)
        return iter(())

    def flush(self) -> Iterator[object]:  # type: ignore[override]  # as above
        if not len(self._bytes):
            yield from self._items
        else:
            yield SMALL[1:3]


def broken(decoder: Callable[..., object]) -> Codec:
    return Codec("broken", (".broken",), decoder, DAT.encoder)  # type: ignore[arg-type]  # that is the point


def test_a_good_codec_passes() -> None:
    check_codec(DAT, batch=SMALL, mutations=200)
    check_codec(DAT, mutations=0)


@pytest.mark.parametrize(
    ("decoder", "error"),
    [(Forgetful, AssertionError), (Explosive, IndexError), (Shy, AssertionError)],
)
def test_a_broken_codec_is_caught(decoder: Callable[..., object], error: type[Exception]) -> None:
    with pytest.raises(error):
        check_codec(broken(decoder), batch=SMALL, mutations=50)


def test_a_codec_without_encoder_is_checked_on_a_recording() -> None:
    mute = Codec("mute", (), DatDecoder)
    check_codec(mute, recording=encode(DatEncoder(), [SMALL]), mutations=200)
    with pytest.raises(AssertionError, match="is checked on a recording"):
        check_codec(mute)
    with pytest.raises(AssertionError, match="no events in the recording"):
        check_codec(mute, recording=encode(DatEncoder(), []))


def test_a_broken_decoder_is_caught_on_a_recording() -> None:
    recording = encode(DatEncoder(), [SMALL])
    with pytest.raises(AssertionError):
        check_codec(Codec("broken", (), Forgetful), recording=recording, mutations=0)


def test_decode_feeds_and_flushes() -> None:
    data = encode(DAT.encoder(), [SMALL])  # type: ignore[misc]  # it has one
    assert_same_events(decode(DAT, [data[:90], data[90:]]), [SMALL])


class First:
    """Keeps the first event of each batch: what comes out depends on how the input is cut."""

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        return (batch[:1],)

    def flush(self) -> tuple[()]:
        return ()


def test_the_chunking_law_is_checked() -> None:
    assert len(check_operator(lambda: Window(count=50))) == 12
    with pytest.raises(AssertionError):
        check_operator(First, batch=SMALL)


NUMBERS = [5, 6, 7, 8]


async def test_a_good_source_passes() -> None:
    assert await check_source(Origin("numbers", blocking=lambda: (n for n in NUMBERS))) == NUMBERS


class Waiting:
    """A source that only waits; if `careless`, a cancelled read loses the item that it has."""

    def __init__(self, *, careless: bool) -> None:
        self._items = list(NUMBERS)
        self._careless = careless

    async def __anext__(self) -> int:
        if not self._items:
            raise StopAsyncIteration
        if not self._careless:
            await anyio.lowlevel.checkpoint()
            return self._items.pop(0)
        item = self._items.pop(0)
        await anyio.sleep(0.01)
        return item

    def close(self) -> None:
        self._items = []

    async def aclose(self) -> None:
        self.close()


async def test_a_source_that_loses_what_it_holds_is_caught() -> None:
    assert await check_source(Origin("w", waiting=partial(Waiting, careless=False))) == NUMBERS
    with pytest.raises(AssertionError, match="items, not 4"):
        await check_source(Origin("w", waiting=partial(Waiting, careless=True)))


async def test_a_source_that_cannot_be_read_twice_is_caught() -> None:
    once = (n for n in NUMBERS)
    with pytest.raises(AssertionError, match="0 items, not 4"):
        await check_source(Origin("once", blocking=lambda: once))


class Keeping:
    """A sink that keeps what it is given; it takes more after its end, if `greedy`."""

    def __init__(self, *, greedy: bool) -> None:
        self._greedy = greedy
        self._closed = False

    async def write(self, item: int, /) -> None:
        if self._closed and not self._greedy:
            raise anyio.ClosedResourceError
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self._closed = True


async def test_a_sink_that_takes_items_after_its_end_is_caught() -> None:
    await check_sink(partial(Keeping, greedy=False), NUMBERS)
    with pytest.raises(AssertionError, match="a closed sink took an item"):
        await check_sink(partial(Keeping, greedy=True), NUMBERS)


def frames(events: Iterable[EventBatch], mode: str = "count") -> list[Frame]:
    made = Frames(mode)  # type: ignore[arg-type]  # one of them
    return [frame for batch in events for frame in made.feed(batch.as_window(batch.span))]


EVENT = Event(1, 2, 3, True)
FRAME, EMPTY = frames([SMALL, SMALL[:0]])
UNLIKE: list[tuple[list[object], list[object]]] = [
    ([EVENT], []),
    ([EVENT], [Event(1, 2, 3, False)]),
    ([EVENT], [FRAME]),
    ([FRAME], [EMPTY]),
    ([SMALL], [SMALL[:-1]]),
    ([SMALL.as_window(Span(0, 9))], [SMALL.as_window(Span(0, 8))]),
    ([SMALL.as_window(Span(0, 9))], [SMALL[1:].as_window(Span(0, 9))]),
    ([Frame(FRAME.array, Span(0, 1), FRAME.sensor)], [FRAME]),
    ([Frame(np.add(FRAME.array, 1), FRAME.span, FRAME.sensor)], [FRAME]),
]


@pytest.mark.parametrize(("actual", "expected"), UNLIKE)
def test_what_differs_is_not_the_same(actual: list[object], expected: list[object]) -> None:
    with pytest.raises(AssertionError):
        assert_same(actual, expected)
    assert_same(expected, expected)


def test_plain_batches_are_the_same_however_they_are_cut() -> None:
    assert_same([SMALL[:7], SMALL[7:]], [SMALL])
    assert_same([], [])
