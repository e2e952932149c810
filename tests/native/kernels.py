"""The implementations under test, and how tests feed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from aevents._native import LEVELS, twins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    Arrays = tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]

try:
    from aevents._native import compiled
    from aevents._native._kernels import lib
except ImportError:  # no compiler here: the twins are all there is
    COMPILED: list[str] = []
else:
    COMPILED = [isa for isa, level in LEVELS.items() if level <= lib.ae_cpu_level()]

IMPLEMENTATIONS = ["numpy", *COMPILED]
FORMATS = {"evt2": 4, "evt21": 8, "evt3": 2, "evt4": 4, "dat": 8}  # bytes a word


class _AtLevel:
    """The compiled kernels at one level: it is selected again whenever a function is looked up."""

    def __init__(self, level: int) -> None:
        self._level = level

    def __getattr__(self, name: str) -> object:
        lib.ae_select(self._level)
        return getattr(compiled, name)


def implementation(name: str) -> ModuleType:
    if name == "numpy":
        return twins
    return cast("ModuleType", _AtLevel(LEVELS[name]))  # it has the module's functions


class Decoded(NamedTuple):
    """Everything that a decoder says, as plain lists."""

    events: list[tuple[int, int, int, int]]
    triggers: list[tuple[int, int, int]]
    state: dict[str, int]


def state_of(state: object) -> dict[str, int]:
    names = (name for name in dir(state) if not name.startswith("_"))
    return {name: int(getattr(state, name)) for name in names}


def packed(words: Iterable[int], size: int) -> bytes:
    return b"".join(word.to_bytes(size, "little") for word in words)


def decode(
    kernels: ModuleType,
    kind: str,
    data: bytes,
    *,
    cuts: Sequence[int] = (),
    capacity: int = 32768,
    **options: int,
) -> Decoded:
    """Decode all of `data`, handed over in pieces that end at `cuts` (in words)."""
    state = getattr(kernels, f"{kind}_state")(**options)
    one = getattr(kernels, f"{kind}_decode")
    out = kernels.columns(capacity)
    events: list[tuple[int, int, int, int]] = []
    triggers: list[tuple[int, int, int]] = []
    ends = sorted({min(cut * FORMATS[kind], len(data)) for cut in cuts} | {len(data)})
    at = 0
    for end in ends:
        while True:
            last, at = at, one(data[:end], at, state, out)
            events += zip(*(column[: out.n].tolist() for column in columns_of(out)), strict=True)
            triggers += zip(*(c[: out.triggers].tolist() for c in triggers_of(out)), strict=True)
            if at == last:
                break
    return Decoded(events, triggers, state_of(state))


def columns_of(out: twins.Columns) -> tuple[NDArray[np.generic], ...]:
    return out.t, out.x, out.y, out.p


def triggers_of(out: twins.Columns) -> tuple[NDArray[np.generic], ...]:
    return out.trigger_t, out.trigger_id, out.trigger_value


def arrays(events: Sequence[tuple[int, int, int, int]]) -> Arrays:
    t, x, y, p = zip(*events, strict=True) if events else ((), (), (), ())
    return (
        np.array(t, np.int64),
        np.array(x, np.uint16),
        np.array(y, np.uint16),
        np.array(p, np.bool_),
    )


def encode(
    kernels: ModuleType, kind: str, events: Sequence[tuple[int, int, int, int]], **options: int
) -> tuple[bytes, dict[str, int]]:
    """Encode in one call; return the bytes and the state."""
    state = kernels.encoder_state(**options)
    return getattr(kernels, f"{kind}_encode")(*arrays(events), state), state_of(state)
