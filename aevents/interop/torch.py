"""torch: frames that are counted on the device, and recordings as a data set.

Importing this raises `MissingExtraError` without torch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from aevents._tensors import EventTensors
from aevents.errors import missing_extra
from aevents.operators.frames import MODES, Mode
from aevents.operators.pixels import on_sensor, picked
from aevents.operators.representation import Piecewise, cells_of
from aevents.stream import Stream
from aevents.types import EventBatch, Sensor, Span

try:
    import torch
    from torch import Tensor
    from torch.cuda import Event
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError as _missing:
    raise missing_extra("torch", "torch") from _missing

if TYPE_CHECKING:
    from aevents._tensors import Device

__all__ = ["EventDataset", "EventTensors", "TensorFrame", "TorchFrames"]

R = TypeVar("R")
T = TypeVar("T", covariant=True)
U = TypeVar("U")

EVENTS_AT_ONCE = 1 << 18
"""More are sent in parts: the memory that they are sent from is of 1.3 MB, twice."""
EVENT_BYTES = 5
"""x and y of 16 bits, and a byte of polarity: times stay behind."""


class TensorFrame:
    """A frame on a device: what `Frame` is on the CPU, of a `span`, a `sensor` and a `mode`."""

    __slots__ = ("_ready", "_tensor", "mode", "sensor", "span")

    def __init__(
        self,
        tensor: Tensor,
        span: Span,
        sensor: Sensor,
        mode: str,
        ready: Event | None = None,
    ) -> None:
        self._tensor = tensor
        self._ready = ready
        self.span: Span = span
        self.sensor: Sensor = sensor
        self.mode: str = mode

    @property
    def shape(self) -> torch.Size:
        """Shape of the tensor."""
        return self._tensor.shape

    def torch(self, device: Device | None = None) -> Tensor:
        """Return the tensor, on another device if one is given.

        On CUDA, what is put on the current stream from here on comes after the counting; the CPU
        does not wait.
        """
        if self._ready is not None:
            stream = torch.cuda.current_stream(self._tensor.device)
            stream.wait_event(self._ready)
            self._tensor.record_stream(stream)
        return self._tensor if device is None else self._tensor.to(device)

    def __repr__(self) -> str:
        where = f"{self._tensor.dtype} on {self._tensor.device}"
        return f"TensorFrame({self.mode}, shape {tuple(self.shape)}, {where}, {self.span})"


class TorchFrames(Piecewise[TensorFrame]):
    """Make frames of events as `Frames` does, with the same numbers, but count on a torch device.

    Of an event 5 bytes go to the device, x, y and p: less than a dense frame while there is less
    than an event for each pixel or so. To CUDA they go from pinned memory, on a stream of its own,
    and are counted there; `torch()` of a frame puts the current stream behind that. On `"cpu"`
    `Frames` is faster, and its frames become tensors without a copy.

    `mode` is one of those of `Frames`; `dtype` is a floating-point one, int32 or int64. Events off
    the sensor are left out and counted (`outside_frame`). Raises `ValueError` for another mode or
    dtype, for CUDA where there is none, and when the sensor size is not known.

    >>> from aevents import synthetic
    >>> windows = synthetic.poisson(sensor=Sensor(64, 48)).window(duration_us=1_000)
    >>> frames = windows.through(lambda: TorchFrames("cpu", "polarity"))
    >>> next(frames.blocking()).torch().shape
    torch.Size([2, 48, 64])
    """

    def __init__(
        self,
        device: Device,
        mode: Mode = "count",
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"a frame mode is one of {', '.join(MODES)}, not {mode!r}")
        if not (dtype.is_floating_point or dtype in (torch.int32, torch.int64)):
            raise ValueError(f"dtype is a floating-point one, int32 or int64, not {dtype}")
        self.counts: dict[str, int] = {"outside_frame": 0}
        self._mode: Mode = mode
        self._dtype = dtype
        self._planes = 2 if mode in ("signed", "polarity") else 1
        self._way = _Way(torch.device(device))
        self._sensor: Sensor | None = None

    def add(self, batch: EventBatch, /) -> None:
        """Send the events of this batch to the device, to be counted into the frame to come."""
        if self._sensor != batch.sensor:
            self._begin(batch.sensor)
        inside = picked(batch, on_sensor(batch))
        self.counts["outside_frame"] += len(batch) - len(inside)
        with torch.cuda.stream(self._way.stream):
            for start in range(0, len(inside), EVENTS_AT_ONCE):
                part = inside.cut(start, start + EVENTS_AT_ONCE, inside.span)
                self._count(*self._way.send(part))

    def read(self, span: Span) -> TensorFrame:
        """Return the frame counted so far, and start the next."""
        assert self._sensor is not None, "a batch comes before its frame"
        with torch.cuda.stream(self._way.stream):
            tensor = self._values().to(self._dtype, copy=True)
            self._table.zero_()
            ready = self._way.mark()
        return TensorFrame(tensor, span, self._sensor, self._mode, ready)

    def _begin(self, sensor: Sensor) -> None:
        size = cells_of(sensor, self._planes) - 1
        with torch.cuda.stream(self._way.stream):
            self._table = torch.zeros(size, dtype=torch.int32, device=self._way.device)
            self._one = torch.ones((), dtype=torch.int32, device=self._way.device)
        self._sensor = sensor

    def _count(self, x: Tensor, y: Tensor, p: Tensor) -> None:
        assert self._sensor is not None
        width, height = self._sensor.width, self._sensor.height
        cells = x.to(torch.int32).add_(y.to(torch.int32), alpha=width)
        if self._planes == 2:
            cells.add_(p, alpha=width * height)
        self._table.index_add_(0, cells, self._one.expand(len(cells)))

    def _values(self) -> Tensor:
        assert self._sensor is not None
        counts = self._table.view(self._planes, self._sensor.height, self._sensor.width)
        if self._mode == "polarity":
            return counts
        if self._mode == "signed":
            return counts[1] - counts[0]
        return counts[0] > 0 if self._mode == "binary" else counts[0]


class _Way:
    """The way of events to a device: to CUDA through pinned memory, on a stream of its own.

    There are two rooms, so that one can be filled while the other is on its way.
    """

    def __init__(self, device: torch.device) -> None:
        pinned = device.type == "cuda"
        if pinned and not torch.cuda.is_available():
            raise ValueError("torch sees no CUDA device: torch.cuda.is_available() is false")
        self.stream = torch.cuda.Stream(device) if pinned else None
        self.device = self.stream.device if self.stream else device
        size = EVENTS_AT_ONCE * EVENT_BYTES
        rooms = [torch.empty(size, dtype=torch.uint8, pin_memory=pinned) for _ in range(2)]
        self._rooms = deque((room, self.mark()) for room in rooms)

    def mark(self) -> Event | None:
        """Return what says when all work on the stream up to now is done."""
        if self.stream is None:
            return None
        event = Event(blocking=True)
        event.record(self.stream)
        return event

    def send(self, batch: EventBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return x, y and p on the device, until the next call but one."""
        room, sent = self._rooms.popleft()
        if sent is not None:
            sent.synchronize()
        n = len(batch)
        memory = room.numpy()
        for start, stop, column in ((0, 2, batch.x), (2, 4, batch.y), (4, 5, batch.p)):
            memory[start * n : stop * n].view(column.dtype)[:] = column
        there = room[: EVENT_BYTES * n].to(self.device, non_blocking=True)
        self._rooms.append((room, self.mark()))
        x, y, p = there.split((2 * n, 2 * n, n))
        return x.view(torch.uint16), y.view(torch.uint16), p.view(torch.bool)


class EventDataset(IterableDataset[T], Generic[R, T]):
    """Samples of many recordings for a `torch.utils.data.DataLoader`, in any number of workers.

    `samples` makes the stream of a recording: windows of it, and what is made of them, down to
    tensors (`.frames().map(Frame.torch)`). `recordings` are whatever it takes: paths, or tuples
    of a path and a label, or of a path and a stretch of it. Each worker reads every so many-th of
    them, so that each sample comes once an epoch; workers beyond their number have nothing to do.

    With a `seed` the order is a random one, which is the same for the same seed, epoch and number
    of workers: recordings are shuffled, and each worker draws from `pool` samples that it holds.
    Call `set_epoch` before each epoch to have another order. Where workers are started by "spawn",
    `samples` and the recordings must be such as can be pickled.

    Raises `ValueError` for a pool without a seed, a pool below 1 and a seed below 0; reading raises
    what the streams do.
    """

    def __init__(
        self,
        recordings: Sequence[R],
        samples: Callable[[R], Stream[T]],
        *,
        seed: int | None = None,
        pool: int = 1,
    ) -> None:
        if pool < 1 or (pool > 1 and seed is None):
            raise ValueError(f"a pool is of 1 sample, or with a seed of more, not {pool}")
        if seed is not None and seed < 0:
            raise ValueError(f"a seed is 0 or more, not {seed}")
        self._recordings = tuple(recordings)
        self._samples = samples
        self._seed = seed
        self._pool = pool
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # with all workers

    def set_epoch(self, epoch: int, /) -> None:
        """Say which epoch is next, to running workers too. Raises `ValueError` below 0."""
        if epoch < 0:
            raise ValueError(f"an epoch is 0 or more, not {epoch}")
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[T]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        if self._seed is None:
            return self._read(self._recordings[number::workers])
        order, draws = (
            np.random.default_rng((self._seed, int(self._epoch), role)) for role in (0, 1 + number)
        )
        places = order.permutation(len(self._recordings))[number::workers]
        return _drawn(self._read(self._recordings[i] for i in places), self._pool, draws)

    def _read(self, recordings: Iterable[R]) -> Iterator[T]:
        for recording in recordings:
            with self._samples(recording).blocking() as samples:
                yield from samples


def _drawn(samples: Iterator[U], pool: int, draws: np.random.Generator) -> Iterator[U]:
    """Yield all samples, each drawn from `pool` that are held."""
    held = list(islice(samples, pool))
    for sample in samples:
        place = int(draws.integers(pool))
        yield held[place]
        held[place] = sample
    draws.shuffle(held)
    yield from held
