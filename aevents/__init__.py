"""Asyncio-native streaming for event cameras and other address-event data.

async for batch in aevents.open("street.raw"):
    ...
"""

from __future__ import annotations

from aevents._contracts import Origin, Report, Sink
from aevents.errors import (
    AeventsError,
    DecodeError,
    EncodeError,
    MissingExtraError,
    SlowConsumerError,
    TimeOrderError,
    TruncatedError,
    UnknownFormatError,
)
from aevents.junctions.accumulate import Accumulation, accumulate
from aevents.junctions.channel import BLOCK, NEWEST, Overflow
from aevents.junctions.hub import Hub
from aevents.junctions.merge import buffer, merge
from aevents.junctions.merge_sorted import merge_sorted
from aevents.junctions.tee import tee
from aevents.junctions.workers import workers
from aevents.operators.base import Chain, Operator
from aevents.operators.frames import Frames
from aevents.operators.hats import Hats
from aevents.operators.select import Crop, Polarity, TimeSlice
from aevents.operators.statistics import EventRate, Histogram, IntervalHistogram, Rate
from aevents.operators.surfaces import TimeSurface, Tore
from aevents.operators.voxels import Stack, VoxelGrid
from aevents.operators.window import SlidingWindow, Window
from aevents.registry import create, load, open  # the verb of the house
from aevents.runtime import run
from aevents.sinks.images import png
from aevents.sources import synthetic
from aevents.sources.array import from_array
from aevents.stream import Stream
from aevents.types import (
    EVENT_DTYPE,
    ColourBatch,
    Damage,
    Event,
    EventBatch,
    ExposureBatch,
    Frame,
    GenericBatch,
    ImuBatch,
    Sensor,
    Span,
    TriggerBatch,
    ms,
    s,
    us,
)

__all__ = [
    "BLOCK",
    "EVENT_DTYPE",
    "NEWEST",
    "Accumulation",
    "AeventsError",
    "Chain",
    "ColourBatch",
    "Crop",
    "Damage",
    "DecodeError",
    "EncodeError",
    "Event",
    "EventBatch",
    "EventRate",
    "ExposureBatch",
    "Frame",
    "Frames",
    "GenericBatch",
    "Hats",
    "Histogram",
    "Hub",
    "ImuBatch",
    "IntervalHistogram",
    "MissingExtraError",
    "Operator",
    "Origin",
    "Overflow",
    "Polarity",
    "Rate",
    "Report",
    "Sensor",
    "Sink",
    "SlidingWindow",
    "SlowConsumerError",
    "Span",
    "Stack",
    "Stream",
    "TimeOrderError",
    "TimeSlice",
    "TimeSurface",
    "Tore",
    "TriggerBatch",
    "TruncatedError",
    "UnknownFormatError",
    "VoxelGrid",
    "Window",
    "accumulate",
    "buffer",
    "create",
    "from_array",
    "load",
    "merge",
    "merge_sorted",
    "ms",
    "open",
    "png",
    "run",
    "s",
    "synthetic",
    "tee",
    "us",
    "workers",
]
