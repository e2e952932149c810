"""One small batch of each kind."""

from __future__ import annotations

import numpy as np

from aevents.types import (
    ColourBatch,
    EventBatch,
    ExposureBatch,
    Frame,
    GenericBatch,
    ImuBatch,
    Sensor,
    Span,
    TriggerBatch,
)

SENSOR = Sensor(64, 48)


def events(*times: int, x: int = 1, y: int = 1, sensor: Sensor = SENSOR) -> EventBatch:
    ones = np.ones(len(times), np.int64)
    return EventBatch.from_columns(t=list(times), x=ones * x, y=ones * y, p=ones, sensor=sensor)


def triggers(*times: int, id: int = 0) -> TriggerBatch:
    t = np.array(times, np.int64)
    ids = np.full(len(t), id, np.uint8)
    return TriggerBatch(t, ids, t >= 0, SENSOR, Span(min(times), max(times)))


def imu(*times: int) -> ImuBatch:
    t, vectors = np.array(times, np.int64), np.zeros((len(times), 3), np.float32)
    return ImuBatch(t, vectors[:, 0], vectors, vectors, vectors, SENSOR, Span(0, max(times)))


def exposures(*times: int, x: int = 1) -> ExposureBatch:
    t = np.array(times, np.int64)
    place = np.full(len(t), x, np.uint16)
    return ExposureBatch(t, place, place, t < 0, SENSOR, Span(0, max(times, default=0)))


def colours(*times: int) -> ColourBatch:
    t = np.array(times, np.int64)
    place, byte = np.ones(len(t), np.uint16), np.ones(len(t), np.uint8)
    return ColourBatch(t, place, place, byte, byte, byte, SENSOR, Span(0, max(times)))


def generic(*times: int) -> GenericBatch:
    t = np.array(times, np.int64)
    return GenericBatch(t, tuple(bytes([time]) for time in times), Span(0, max(times)))


def frame(time: int) -> Frame:
    return Frame(np.zeros((48, 64), np.uint8), Span(time, time + 1), SENSOR, "intensity")
