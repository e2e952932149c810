"""The kernels in NumPy: what the C kernels must do, and what runs where they cannot be built."""

from __future__ import annotations

from ..columns import CAPACITY, Columns
from ..datagrams import CAPACITY as MESSAGES
from ..datagrams import Datagrams
from .accumulate import accumulate, readout
from .aedat import (
    AedatState,
    aedat2_decode,
    aedat3_decode,
    aedat4_decode,
    aedat4_encode,
    aedat4_lz4,
    aedat4_packets,
    aedat_state,
)
from .dat import DatState, dat_decode, dat_encode, dat_state
from .ecf import ecf_decode, ecf_encode
from .emulate import crossings, fire, see
from .encoder import EncoderState, encoder_state
from .es import EsState, es_decode, es_encode, es_state
from .evt2 import Evt2State, evt2_decode, evt2_encode, evt2_state
from .evt3 import Evt3State, evt3_decode, evt3_encode, evt3_state
from .evt3_skip import evt3_skip
from .evt4 import evt4_decode, evt4_encode, evt4_state
from .evt21 import evt21_decode, evt21_encode, evt21_state
from .filter import background, contrast, lines, pick, refractory
from .follow import Ahead, dat_follow, evt2_follow, evt3_follow, evt4_follow, evt21_follow
from .hats import hats
from .inspect import InspectionState, inspect, inspection_state
from .marks import MarksState, dat_marks, evt2_marks, evt3_marks, marks_state
from .merge import Runs, merge
from .ros import (
    RosState,
    ros_compact_decode,
    ros_dvs_decode,
    ros_libcaer_decode,
    ros_mono_decode,
    ros_state,
)
from .spif import SpifState, spif_decode, spif_encode, spif_state
from .spikes import poisson_counts, poisson_events, spread
from .surface import decay, intervals, last_times, recent_times
from .text import TextState, text_decode, text_encode, text_state
from .voxels import voxels

__all__ = [
    "AedatState",
    "Ahead",
    "Columns",
    "DatState",
    "Datagrams",
    "EncoderState",
    "EsState",
    "Evt2State",
    "Evt3State",
    "InspectionState",
    "MarksState",
    "RosState",
    "Runs",
    "SpifState",
    "TextState",
    "accumulate",
    "aedat2_decode",
    "aedat3_decode",
    "aedat4_decode",
    "aedat4_encode",
    "aedat4_lz4",
    "aedat4_packets",
    "aedat_state",
    "background",
    "columns",
    "contrast",
    "crossings",
    "dat_decode",
    "dat_encode",
    "dat_follow",
    "dat_marks",
    "dat_state",
    "datagrams",
    "decay",
    "ecf_decode",
    "ecf_encode",
    "encoder_state",
    "es_decode",
    "es_encode",
    "es_state",
    "evt2_decode",
    "evt2_encode",
    "evt2_follow",
    "evt2_marks",
    "evt2_state",
    "evt3_decode",
    "evt3_encode",
    "evt3_follow",
    "evt3_marks",
    "evt3_skip",
    "evt3_state",
    "evt4_decode",
    "evt4_encode",
    "evt4_follow",
    "evt4_state",
    "evt21_decode",
    "evt21_encode",
    "evt21_follow",
    "evt21_state",
    "fire",
    "hats",
    "inspect",
    "inspection_state",
    "intervals",
    "last_times",
    "lines",
    "marks_state",
    "merge",
    "pick",
    "poisson_counts",
    "poisson_events",
    "readout",
    "recent_times",
    "refractory",
    "ros_compact_decode",
    "ros_dvs_decode",
    "ros_libcaer_decode",
    "ros_mono_decode",
    "ros_state",
    "see",
    "spif_decode",
    "spif_encode",
    "spif_state",
    "spread",
    "text_decode",
    "text_encode",
    "text_state",
    "voxels",
]


def columns(capacity: int = CAPACITY) -> Columns:
    """Return columns for a decoder to fill, room for `capacity` events."""
    return Columns(capacity)


def datagrams(capacity: int = MESSAGES) -> Datagrams:
    """Return room for datagrams, `capacity` messages."""
    return Datagrams(capacity)
