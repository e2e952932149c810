"""The one shape of everything that transforms, and how such things are put in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Generic, Never, Protocol, TypeVar, cast

from aevents.types import Damage

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


class Operator(Protocol[In_contra, Out_co]):
    """Anything with `feed` and `flush`. Pure: no I/O, no clock, no task.

    `feed` takes one item and gives the items that follow from it; `flush`, called once at the end,
    gives those that were still held back. Four attributes are optional: `counts`, a mapping of
    names to numbers, and `damage`, a sequence of `Damage`, which go into the `Report`; `done`, true
    when nothing more can come of further input; and `fuse`, a method that is offered the operator
    before this one and may return one operator that does the work of both.
    """

    def feed(self, item: In_contra, /) -> Iterable[Out_co]:
        """Take one item, give what follows from it."""

    def flush(self) -> Iterable[Out_co]:
        """Give what was held back: the input has ended."""


_Any = Operator[object, object]
"""In a row operators meet as this; `Stream` sees to it that each takes what comes before it."""


class Chain(Generic[In, Out]):
    """Operators in a row, as one operator.

    >>> doubled = Chain([Map(lambda number: number + number)])
    >>> list(doubled.feed(2))
    [4]
    """

    __slots__ = ("_operators",)

    def __init__(self, operators: Sequence[Operator[Never, object]]) -> None:
        self._operators = _fused(cast("Sequence[_Any]", operators))

    def feed(self, item: In, /) -> Iterable[Out]:
        """Take one item through all operators, lazily."""
        return _through((item,), self._operators)  # type: ignore[return-value]  # the last operator says what comes out

    def flush(self) -> Iterator[Out]:
        """Flush each operator into those after it; operators before one that is `done` have nothing
        more to say.
        """
        first = max((i for i, one in enumerate(self._operators) if _is_done(one)), default=0)
        for index in range(first, len(self._operators)):
            rest = self._operators[index + 1 :]
            yield from _through(self._operators[index].flush(), rest)  # type: ignore[misc]  # as above

    @property
    def done(self) -> bool:
        """Whether some operator wants no more input."""
        return any(map(_is_done, self._operators))

    @property
    def counts(self) -> Mapping[str, int]:
        """What the operators counted, added up by name."""
        return add_counts(getattr(one, "counts", {}) for one in self._operators)

    @property
    def damage(self) -> Sequence[Damage]:
        """Where the operators found their input damaged."""
        return [place for one in self._operators for place in getattr(one, "damage", ())]


class Map(Generic[In, Out]):
    """A function of one item, as an operator."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[In], Out]) -> None:
        self._function = function

    def feed(self, item: In, /) -> tuple[Out]:
        """Give the function's answer."""
        return (self._function(item),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


class Filter(Generic[In]):
    """Keep the items for which a function says so."""

    __slots__ = ("_keep",)

    def __init__(self, keep: Callable[[In], bool]) -> None:
        self._keep = keep

    def feed(self, item: In, /) -> tuple[In, ...]:
        """Give the item, or nothing."""
        return (item,) if self._keep(item) else ()

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()


def add_counts(counts: Iterable[Mapping[str, int]], /) -> dict[str, int]:
    """Return the sum of these counts, name by name, without the zeros."""
    total: dict[str, int] = {}
    for name, count in chain.from_iterable(one.items() for one in counts):
        if count:
            total[name] = total.get(name, 0) + count
    return total


def _through(items: Iterable[object], operators: Sequence[_Any]) -> Iterable[object]:
    for operator in operators:
        items = chain.from_iterable(map(operator.feed, items))
    return items


def _fused(operators: Sequence[_Any]) -> list[_Any]:
    """Let each operator that wants to (`fuse`) become one with the operator before it."""
    row: list[_Any] = []
    for operator in operators:
        one = getattr(operator, "fuse", _no_fusion)(row[-1]) if row else None
        if one is None:
            row.append(operator)
        else:
            row[-1] = one
    return row


def _no_fusion(_before: object, /) -> None:
    return None


def _is_done(operator: object) -> bool:
    return bool(getattr(operator, "done", False))
