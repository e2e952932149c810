"""What a plot is made of, gathered from events wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Generic, TypeVar, cast

from aevents.operators.base import Operator
from aevents.stream import Stream
from aevents.types import EventBatch

Events = EventBatch | Stream[EventBatch] | Iterable[EventBatch]
"""A batch, a stream that ends, or batches in a row."""
T = TypeVar("T")


def gathered(given: Events | T, kind: type[T], make: Callable[[], Operator[EventBatch, T]], /) -> T:
    """Return what is wanted of a kind: as it is given, or as the operator gathers it from events.

    Raises `ValueError` where there is nothing, or more than one, for a stream without end, and what
    reading raises.
    """
    if isinstance(given, kind):
        return given
    events = cast("Events", given)
    if isinstance(events, Stream):
        if events.endless:
            raise ValueError("a live stream has no end: put .take(n) before it is plotted")
        with events.blocking() as batches:
            return _only(_fed(batches, make()))
    return _only(_fed([events] if isinstance(events, EventBatch) else events, make()))


class OfSome(Generic[T]):
    """An operator that is another one where there are events, and gives nothing where there are
    none: an empty picture looks as if something were broken.
    """

    def __init__(self, operator: Operator[EventBatch, T]) -> None:
        self.counts: Mapping[str, int] = getattr(operator, "counts", {})
        self._operator = operator
        self._some = False

    def feed(self, batch: EventBatch, /) -> Iterable[T]:
        """Give what the operator does."""
        self._some = self._some or len(batch) > 0
        return self._operator.feed(batch) if self._some else ()

    def flush(self) -> Iterable[T]:
        """Give what the operator does."""
        return self._operator.flush() if self._some else ()


def _fed(events: Iterable[EventBatch], operator: Operator[EventBatch, T]) -> Iterator[T]:
    some = OfSome(operator)
    for batch in events:
        yield from some.feed(batch)
    yield from some.flush()


def _only(found: Iterator[T]) -> T:
    first = [*islice(found, 2)]
    if not first:
        raise ValueError("no events: there is nothing to plot")
    if len(first) > 1:
        raise ValueError("several windows: plot one of them, or leave out .window()")
    return first[0]
