"""The kernels: in C where the extension is there, else their NumPy twins.

`AEVENTS_NATIVE=0` asks for the twins; `AEVENTS_ISA=base`, `v3` (AVX2) or `v4` (AVX-512) for C of at
most that instruction set. `kernels` is the module chosen, `name` says which: `c-v3`, `numpy`, ...
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

LEVELS = {"base": 1, "v3": 3, "v4": 4}


def _wanted_level() -> int:
    isa = os.environ.get("AEVENTS_ISA", "v4")
    if isa not in LEVELS:
        raise ValueError(f"AEVENTS_ISA is {isa!r}: it must be one of {', '.join(LEVELS)}")
    return LEVELS[isa]


def _select() -> str | None:
    """Choose the best C kernels allowed; return their name, None if there are none."""
    level = _wanted_level()
    if os.environ.get("AEVENTS_NATIVE") == "0":
        return None
    try:
        from ._kernels import lib
    except ImportError:
        return None
    used = lib.ae_select(level)
    return next(f"c-{isa}" for isa, number in LEVELS.items() if number == used)


name = _select() or "numpy"

if TYPE_CHECKING:
    from . import twins as kernels  # the twins are the specification, for types too
elif name == "numpy":
    from . import twins as kernels
else:
    from . import compiled as kernels

__all__ = ["kernels", "name"]
