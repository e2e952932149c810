"""Asyncio-native streaming for event cameras and other address-event data.

async for batch in aevents.open("street.raw"):
    ...
"""

from __future__ import annotations

from aevents import _display as _display  # which shows values in a notebook
from aevents._contracts import Origin, Report, Sink
from aevents.codecs.speck import SpikeBatch
from aevents.errors import (
    AeventsError,
    DecodeError,
    DeliveryError,
    DeviceError,
    DeviceLostError,
    DeviceNotFoundError,
    DownloadError,
    EncodeError,
    MissingExtraError,
    SlowConsumerError,
    TimeOrderError,
    TruncatedError,
    UnknownFormatError,
    WorkerError,
)
from aevents.junctions.accumulate import Accumulation, accumulate
from aevents.junctions.batch import Batches, Sourced, batch
from aevents.junctions.channel import BLOCK, NEWEST, Overflow
from aevents.junctions.hub import Hub
from aevents.junctions.infer import infer
from aevents.junctions.merge import buffer, merge
from aevents.junctions.merge_sorted import merge_sorted
from aevents.junctions.models import Model
from aevents.junctions.tee import tee
from aevents.junctions.workers import Failed, workers
from aevents.operators.base import Chain, Operator
from aevents.operators.denoise import Contrast, Denoise, Refractory
from aevents.operators.dvs import Dvs
from aevents.operators.frames import Frames
from aevents.operators.geometry import Downsample, Flip, Rotate, Scale, Transpose
from aevents.operators.hats import Hats
from aevents.operators.hot import WithoutHotPixels, hot_pixels
from aevents.operators.integrate import Integrate
from aevents.operators.moments import History
from aevents.operators.poisson import Poisson
from aevents.operators.rechunk import Rechunk
from aevents.operators.resample import Resample
from aevents.operators.results import Annotate, Result, annotate
from aevents.operators.sampled import Sampled
from aevents.operators.saturation import WithoutLines
from aevents.operators.select import Crop, Mask, Polarity, TimeSlice
from aevents.operators.simulate import Events, LabelledEvents
from aevents.operators.statistics import EventRate, Histogram, IntervalHistogram, Rate
from aevents.operators.surfaces import TimeSurface, Tore
from aevents.operators.thin import DropByChance, KeepEvery
from aevents.operators.undistort import Undistort
from aevents.operators.voxels import Stack, VoxelGrid
from aevents.operators.window import SlidingWindow, Window
from aevents.pipeline import Pipeline
from aevents.registry import create, load, open  # the verb of the house
from aevents.runtime import run
from aevents.sinks.callback import CallbackSink
from aevents.sinks.images import png
from aevents.sinks.memory import MemorySink
from aevents.sources import mnist, stimuli, synthetic
from aevents.sources.array import from_array
from aevents.sources.chunks import from_chunks
from aevents.sources.frames import from_frames
from aevents.sources.images import images
from aevents.sources.video import video
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
    LabelledBatch,
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
    "Annotate",
    "Batches",
    "CallbackSink",
    "Chain",
    "Chunk",
    "ColourBatch",
    "Contrast",
    "Crop",
    "Damage",
    "DecodeError",
    "DeliveryError",
    "Denoise",
    "DeviceError",
    "DeviceLostError",
    "DeviceNotFoundError",
    "DownloadError",
    "Downsample",
    "DropByChance",
    "Dvs",
    "EncodeError",
    "Event",
    "EventBatch",
    "EventRate",
    "Events",
    "ExposureBatch",
    "Failed",
    "Flip",
    "Frame",
    "Frames",
    "GenericBatch",
    "Hats",
    "Histogram",
    "History",
    "Hub",
    "ImuBatch",
    "Integrate",
    "IntervalHistogram",
    "KeepEvery",
    "LabelledBatch",
    "LabelledEvents",
    "Mask",
    "MemorySink",
    "MissingExtraError",
    "Model",
    "Operator",
    "Origin",
    "Overflow",
    "Pipeline",
    "Poisson",
    "Polarity",
    "Rate",
    "Rechunk",
    "Refractory",
    "Report",
    "Resample",
    "Result",
    "Rotate",
    "Sampled",
    "Scale",
    "Sensor",
    "Sink",
    "SlidingWindow",
    "SlowConsumerError",
    "Sourced",
    "Span",
    "SpikeBatch",
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
    "annotate",
    "batch",
    "buffer",
    "create",
    "from_array",
    "from_chunks",
    "from_frames",
    "hot_pixels",
    "images",
    "infer",
    "load",
    "merge",
    "merge_sorted",
    "mnist",
    "ms",
    "open",
    "png",
    "run",
    "s",
    "stimuli",
    "synthetic",
    "tee",
    "us",
    "video",
    "workers",
]
