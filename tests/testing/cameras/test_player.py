"""What a model has to say comes when it is due, and in pieces of the size that is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

from aevents import EventBatch, Sensor, Span, TriggerBatch
from aevents.testing.cameras.player import Player, timed


def chunks(step: int) -> Iterator[tuple[int, bytes]]:
    for number in count():
        yield number * step, bytes([number % 256] * 3)


def test_nothing_comes_that_is_not_played() -> None:
    player = Player()
    assert (player.take(10), player.begun) == (None, False)
    player.play(chunks(0))
    assert (player.take(4), player.begun) == (b"\0\0\0\1", True)
    player.stop()
    assert (player.take(10), player.begun) == (None, False)
    player.play(chunks(0))
    assert player.take(7) == b"\0\0\0\1\1\1\2"
    assert player.take(3) == b"\2\2\3"


def test_each_chunk_comes_when_it_is_due() -> None:
    player = Player()
    began = time.monotonic()
    player.play(chunks(20_000), after=0.02)
    assert (player.take(10), player.begun) == (None, False)
    for number in range(3):
        while (said := player.take(10)) is None:
            pass
        assert said == bytes([number] * 3)
        assert time.monotonic() - began >= 0.02 + number * 0.02


def test_items_have_the_time_of_their_end() -> None:
    batch = EventBatch.from_columns(
        t=[100, 200, 1_100, 9_000], x=[1] * 4, y=[3] * 4, p=[1] * 4, sensor=Sensor(9, 9)
    )
    edges = TriggerBatch(batch.t, batch.x.astype("u1"), batch.p > 0, Sensor(9, 9), Span(50, 9_001))
    scene: list[EventBatch | TriggerBatch] = [edges, batch]
    said = timed(scene, lambda item: bytes([len(item)]), realtime=True)
    assert list(said) == [(8_951, b"\4"), (151, b"\2"), (1_051, b"\1"), (8_951, b"\1")]
    at_once = timed(scene, lambda item: bytes([len(item)]), realtime=False)
    assert list(at_once) == [(0, b"\4"), (0, b"\4")]
