"""The kinds of items that recordings hold, by the names that people type and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Annotated, TypeVar

from cyclopts import Parameter, Token

from aevents.types import (
    ColourBatch,
    EventBatch,
    ExposureBatch,
    Frame,
    GenericBatch,
    ImuBatch,
    TriggerBatch,
)

KINDS: Mapping[str, type] = {
    "events": EventBatch,
    "triggers": TriggerBatch,
    "imu": ImuBatch,
    "frames": Frame,
    "exposures": ExposureBatch,
    "colours": ColourBatch,
    "bytes": GenericBatch,
}
"""What a batch holds many of, and frames, which come one by one."""
NAMES = {kind: name for name, kind in KINDS.items()}

T = TypeVar("T")


def name_of(kind: type) -> str:
    """Return the name of a kind; a plug-in's own has that of its type."""
    return NAMES.get(kind, kind.__name__)


def names_of(kinds: Iterable[type], word: str = "and") -> str:
    """Return the names of several kinds, as they are said: `events, triggers and imu`."""
    *some, last = map(name_of, kinds)
    return f"{', '.join(some)} {word} {last}" if some else last


def number_in(item: object) -> int:
    """Return how many things an item holds: a frame is one."""
    return len(item) if isinstance(item, Sized) else 1


def read_kinds(_type: object, tokens: Sequence[Token]) -> tuple[type, ...]:
    """Return the kinds that `events,triggers` names. Raises `ValueError` for what is no name."""
    names = [name for token in tokens for name in token.value.split(",")]
    for name in names:
        if name not in KINDS:
            raise ValueError(f"{name!r} is none of {', '.join(KINDS)}")
    return tuple(KINDS[name] for name in names)


Only = Annotated[
    tuple[type, ...], Parameter(converter=read_kinds, n_tokens=1, metavar="KIND,…", negative=())
]


class Census:
    """An operator that hands on what it is given, and counts how much of each kind it was."""

    def __init__(self) -> None:
        self._counts: dict[type, int] = {}

    def __getitem__(self, kind: type) -> int:
        return self._counts.get(kind, 0)

    @property
    def kinds(self) -> tuple[type, ...]:
        """The kinds that there is any of; a plug-in's own come last."""
        found = [kind for kind, count in self._counts.items() if count]
        return (*(kind for kind in NAMES if kind in found), *(k for k in found if k not in NAMES))

    def feed(self, item: T, /) -> tuple[T]:
        """Give the item."""
        kind = type(item)
        self._counts[kind] = self[kind] + number_in(item)
        return (item,)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def named(self) -> Iterator[tuple[str, int]]:
        """Yield each kind that there is any of, by name, and how much of it."""
        yield from ((name_of(kind), self[kind]) for kind in self.kinds)
