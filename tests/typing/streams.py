"""What type checkers make of a stream: `make types` checks this file; nothing runs it.

`assert_type` says what must be inferred. A line with `type: ignore` must fail: an ignore that is
not needed is an error itself.
"""

from __future__ import annotations

from typing import assert_type

import numpy as np
import numpy.typing as npt
import torch

import aevents
from aevents import (
    Chain,
    Chunk,
    Event,
    EventBatch,
    Events,
    Failed,
    Frame,
    Frames,
    LabelledBatch,
    LabelledEvents,
    Report,
    Sink,
    Stream,
    TriggerBatch,
    Window,
)
from aevents.interop.torch import TensorFrame, TorchFrames


async def item_types_flow(stream: Stream[EventBatch], sink: Sink[Frame]) -> None:
    frames = stream.window(duration_us=5).crop(x=(0, 5)).frames("signed")
    assert_type(frames, Stream[Frame])
    assert_type(await frames.stack(), npt.NDArray[np.generic])
    assert_type(await frames.to(sink, "out.mp4"), Report)
    assert_type(await stream.collect(), EventBatch)
    assert_type(await stream.each().first(), Event)
    assert_type(stream.map(len), Stream[int])
    assert_type(stream.through(lambda: TorchFrames("cpu")), Stream[TensorFrame])
    assert_type(frames.map(Frame.torch), Stream[torch.Tensor])
    assert_type(await stream.through(Frames).to_list(), list[Frame])
    async for t, x, y, p in stream.each():
        assert_type((t, x, y, p), tuple[int, int, int, bool])
    for batch in stream.blocking():
        assert_type(batch, EventBatch)


def pictures_become_events(frames: Stream[Frame], stream: Stream[EventBatch]) -> None:
    assert_type(frames.events("esim", preset="clean", leak_hz=1), Stream[EventBatch])
    assert_type(frames.poisson(hz=100), Stream[EventBatch])
    assert_type(frames.through(lambda: LabelledEvents(Events())), Stream[LabelledBatch])
    frames.events("dvs")  # type: ignore[arg-type]  # no such model
    frames.events(speed="high")  # type: ignore[arg-type]  # numbers have values that are numbers
    stream.events()  # type: ignore[misc]  # they are events already


async def chunks_are_of_what_they_are_made_of(stream: Stream[EventBatch]) -> None:
    assert_type(aevents.from_chunks([b"a"]), Stream[Chunk[bytes]])
    assert_type(aevents.from_chunks([b"a"]).rechunk(5), Stream[Chunk[bytes]])
    assert_type(stream.rechunk(5, exact=True), Stream[Chunk[EventBatch]])
    assert_type(stream.rechunk(5).sampled(coverage=0.5), Stream[Chunk[EventBatch]])
    async with aevents.workers(stream, len, where="process", on_error="emit") as lengths:
        assert_type(lengths, Stream[int | Failed[EventBatch]])
    async with aevents.workers(stream, len, on_error="skip") as lengths_only:
        assert_type(lengths_only, Stream[int])


async def frames_are_streamed_as_events_are(stream: Stream[EventBatch]) -> None:
    assert_type(aevents.video("in.mp4"), Stream[Frame])
    assert_type(aevents.images("*.png").time_slice(5), Stream[Frame])
    assert_type(aevents.from_frames([[[1]]]).through(lambda: aevents.Resample(5)), Stream[Frame])
    assert_type(aevents.open("in.mp4", kind=Frame), Stream[Frame])
    assert_type(stream.frames().rechunk(5), Stream[Chunk[npt.NDArray[np.generic]]])
    assert_type(stream.time_slice(5), Stream[EventBatch])


def open_gives_the_kind_asked_for() -> None:
    assert_type(aevents.open("street.raw"), Stream[EventBatch])
    assert_type(aevents.open("street.raw", kind=TriggerBatch), Stream[TriggerBatch])
    assert_type(aevents.load("street.raw"), EventBatch)


def operators_meet_in_a_chain() -> None:
    chain: Chain[EventBatch, Frame] = Chain([Window(count=100), Frames()])
    for frame in chain.feed(EventBatch.empty()):
        assert_type(frame, Frame)


async def must_fail(stream: Stream[EventBatch], sink: Sink[Frame]) -> None:
    stream.frames().window(count=5)  # type: ignore[misc]  # frames have no windows
    stream.frames().crop(x=(0, 5))  # type: ignore[misc]  # nor are they cropped as events
    await stream.frames().collect()  # type: ignore[misc]  # nor collected into events
    await stream.stack()  # type: ignore[misc]  # events are no arrays
    await stream.to(sink)  # type: ignore[arg-type]  # a sink of frames takes no events
    stream.frames("rgb")  # type: ignore[arg-type]  # no such mode
