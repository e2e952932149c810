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
    TimeOrderError,
    TruncatedError,
    UnknownFormatError,
)
from aevents.operators.base import Chain, Operator
from aevents.operators.frames import Frames
from aevents.operators.select import Crop, Polarity, TimeSlice
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
    "EVENT_DTYPE",
    "AeventsError",
    "Chain",
    "ColourBatch",
    "Crop",
    "Damage",
    "DecodeError",
    "EncodeError",
    "Event",
    "EventBatch",
    "ExposureBatch",
    "Frame",
    "Frames",
    "GenericBatch",
    "ImuBatch",
    "MissingExtraError",
    "Operator",
    "Origin",
    "Polarity",
    "Report",
    "Sensor",
    "Sink",
    "SlidingWindow",
    "Span",
    "Stream",
    "TimeOrderError",
    "TimeSlice",
    "TriggerBatch",
    "TruncatedError",
    "UnknownFormatError",
    "Window",
    "create",
    "from_array",
    "load",
    "ms",
    "open",
    "png",
    "run",
    "s",
    "synthetic",
    "us",
]
