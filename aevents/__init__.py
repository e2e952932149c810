"""Asyncio-native streaming for event cameras and other address-event data.

async for batch in aevents.open("street.raw"):
    ...
"""

from __future__ import annotations

from aevents._contracts import Origin, Report, Sink
from aevents.errors import (
    AeventsError,
    DecodeError,
    DeviceError,
    DeviceLostError,
    DeviceNotFoundError,
    EncodeError,
    MissingExtraError,
    SlowConsumerError,
    TimeOrderError,
    TruncatedError,
    UnknownFormatError,
    WorkerError,
)
from aevents.junctions.accumulate import Accumulation, accumulate
from aevents.junctions.channel import BLOCK, NEWEST, Overflow
from aevents.junctions.hub import Hub
from aevents.junctions.merge import buffer, merge
from aevents.junctions.merge_sorted import merge_sorted
from aevents.junctions.tee import tee
from aevents.junctions.workers import Failed, workers
from aevents.operators.base import Chain, Operator
from aevents.operators.denoise import Contrast, Denoise, Refractory
from aevents.operators.frames import Frames
from aevents.operators.geometry import Downsample, Flip, Rotate, Scale, Transpose
from aevents.operators.hats import Hats
from aevents.operators.hot import WithoutHotPixels, hot_pixels
from aevents.operators.rechunk import Rechunk
from aevents.operators.sampled import Sampled
from aevents.operators.saturation import WithoutLines
from aevents.operators.select import Crop, Mask, Polarity, TimeSlice
from aevents.operators.statistics import EventRate, Histogram, IntervalHistogram, Rate
from aevents.operators.surfaces import TimeSurface, Tore
from aevents.operators.thin import DropByChance, KeepEvery
from aevents.operators.undistort import Undistort
from aevents.operators.voxels import Stack, VoxelGrid
from aevents.operators.window import SlidingWindow, Window
from aevents.registry import create, load, open  # the verb of the house
from aevents.runtime import run
from aevents.sinks.images import png
from aevents.sources import synthetic
from aevents.sources.array import from_array
from aevents.sources.chunks import from_chunks
from aevents.stream import Stream
from aevents.types import (
    EVENT_DTYPE,
    Chunk,
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
    "Chunk",
    "ColourBatch",
    "Contrast",
    "Crop",
    "Damage",
    "DecodeError",
    "Denoise",
    "DeviceError",
    "DeviceLostError",
    "DeviceNotFoundError",
    "Downsample",
    "DropByChance",
    "EncodeError",
    "Event",
    "EventBatch",
    "EventRate",
    "ExposureBatch",
    "Failed",
    "Flip",
    "Frame",
    "Frames",
    "GenericBatch",
    "Hats",
    "Histogram",
    "Hub",
    "ImuBatch",
    "IntervalHistogram",
    "KeepEvery",
    "Mask",
    "MissingExtraError",
    "Operator",
    "Origin",
    "Overflow",
    "Polarity",
    "Rate",
    "Rechunk",
    "Refractory",
    "Report",
    "Rotate",
    "Sampled",
    "Scale",
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
    "Transpose",
    "TriggerBatch",
    "TruncatedError",
    "Undistort",
    "UnknownFormatError",
    "VoxelGrid",
    "Window",
    "WithoutHotPixels",
    "WithoutLines",
    "WorkerError",
    "accumulate",
    "buffer",
    "create",
    "from_array",
    "from_chunks",
    "hot_pixels",
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
