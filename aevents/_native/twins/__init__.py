"""The kernels in NumPy: what the C kernels must do, and what runs where they cannot be built."""

from __future__ import annotations

from ..columns import CAPACITY, Columns
from .dat import DatState, dat_decode, dat_encode, dat_state
from .encoder import EncoderState, encoder_state
from .evt2 import Evt2State, evt2_decode, evt2_encode, evt2_state
from .evt3 import Evt3State, evt3_decode, evt3_encode, evt3_state

__all__ = [
    "Columns",
    "DatState",
    "EncoderState",
    "Evt2State",
    "Evt3State",
    "columns",
    "dat_decode",
    "dat_encode",
    "dat_state",
    "encoder_state",
    "evt2_decode",
    "evt2_encode",
    "evt2_state",
    "evt3_decode",
    "evt3_encode",
    "evt3_state",
]


def columns(capacity: int = CAPACITY) -> Columns:
    """Return columns for a decoder to fill, room for `capacity` events."""
    return Columns(capacity)


from ..interim import accumulate, inspect, inspection_state, readout  # noqa
