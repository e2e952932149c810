"""A camera that comes back: opened again when it was lost, and its times go on over the gap."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import anyio
import msgspec
from msgspec.structs import replace

from aevents.cameras.source import BlockingCamera, Camera, CameraSource
from aevents.errors import DeviceError, DeviceLostError
from aevents.operators.base import add_counts
from aevents.types import EventBatch, Frame, ImuBatch, Span, TriggerBatch

Item = EventBatch | TriggerBatch | ImuBatch | Frame

SECOND_US = 1_000_000
RETRY_SECONDS = 0.2
"""So often it is looked whether the camera is there again."""
WORDS = {"yes": True, "no": False}


def patience_of(value: object, /) -> float:
    """Return for how many seconds a lost camera is waited for: 0 for not at all, infinity for
    `True` or `yes`. Raises `ValueError`.
    """
    value = WORDS.get(str(value), value)
    if isinstance(value, bool):
        return math.inf if value else 0.0
    try:
        seconds = msgspec.convert(value, float, strict=False)
    except msgspec.ValidationError:
        seconds = math.nan
    if not seconds >= 0:
        raise ValueError(f"usb: reopen is a number of seconds, yes or no, not {value!r}")
    return seconds


class ReopeningSource:
    """A camera as a waiting source, as `CameraSource`, that is opened again when it is lost.

    It is waited for `patience` seconds; then `DeviceLostError` is raised. The first opening raises
    at once what it raises. The times of items go on by the wall time that has passed meanwhile.
    `counts` has `gaps`, how often that was, and `gap_us`, how long altogether.
    """

    def __init__(self, open: Callable[[], Camera[Item]], patience: float, /) -> None:
        self._open = open
        self._source = CameraSource(open)
        self._before: dict[str, int] = {}  # what was counted by those that were lost
        self._run = _Run(patience)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return add_counts((self._before, self._source.counts, self._run.counts))

    async def __anext__(self) -> Item:
        """Return what has come next, or await it. A cancelled call loses nothing."""
        while True:
            try:
                item = await self._source.__anext__()
            except DeviceError as error:
                self._run.lose(error, anyio.current_time())
                if isinstance(error, DeviceLostError):
                    self._renew()
            else:
                return self._run.joined(item, anyio.current_time())
            await anyio.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Let go of the camera. A read that waits ends."""
        self._source.close()

    async def aclose(self) -> None:
        """Let go of the camera, and wait until it is free."""
        await self._source.aclose()

    def _renew(self) -> None:
        self._source.close()  # whoever opens waits for that
        self._before = add_counts((self._before, self._source.counts))
        self._source = CameraSource(self._open)


class ReopeningCamera:
    """The same for `for`, without a loop."""

    def __init__(self, open: Callable[[], Camera[Item]], patience: float, /) -> None:
        self._open = open
        self._camera = BlockingCamera(open)
        self._before: dict[str, int] = {}
        self._run = _Run(patience)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return add_counts((self._before, self._camera.counts, self._run.counts))

    def __next__(self) -> Item:
        """Return what has come next, or block until something has."""
        while True:
            try:
                item = next(self._camera)
            except DeviceError as error:
                self._run.lose(error, time.monotonic())
                if isinstance(error, DeviceLostError):
                    self._renew()
            else:
                return self._run.joined(item, time.monotonic())
            time.sleep(RETRY_SECONDS)

    def close(self) -> None:
        """Free the camera."""
        self._camera.close()

    def _renew(self) -> None:
        self._camera.close()
        self._before = add_counts((self._before, self._camera.counts))
        self._camera = BlockingCamera(self._open)


class _Run:
    """How far a camera has come, over all its gaps."""

    def __init__(self, patience: float) -> None:
        self.counts = {"gaps": 0, "gap_us": 0}
        self._patience = patience
        self._stop: int | None = None  # of what has come so far
        self._at = 0.0  # wall time when the latest of that came
        self._by = 0  # what is added to the camera's times
        self._lost: tuple[DeviceError, float] | None = None  # why, and when

    def lose(self, error: DeviceError, now: float) -> None:
        """Take note that there is no camera. Raises that error before the first item, and
        `DeviceLostError` when the patience is at its end.
        """
        if self._stop is None:
            raise error
        self._lost = self._lost or (error, now)
        first, since = self._lost
        if now + RETRY_SECONDS - since <= self._patience:
            return
        if error is first:
            raise error
        raise DeviceLostError(f"{first}; not back in {self._patience:g} s: {error}") from error

    def joined(self, item: Item, now: float) -> Item:
        """Return an item that comes now, at its time in the run."""
        if self._lost is not None and self._stop is not None:
            passed = int((now - self._at) * SECOND_US)
            self._by = self._stop + max(passed - item.span.stop, -item.span.start)
            self._lost = None
            self.counts["gaps"] += 1
            self.counts["gap_us"] += item.span.start + self._by - self._stop
        if self._by:
            item = _later(item, self._by)
        self._at, self._stop = now, max(item.span.stop, self._stop or 0)
        return item


def _later(item: Item, by: int) -> Item:
    span = Span(item.span.start + by, item.span.stop + by)
    if isinstance(item, Frame):
        return replace(item, span=span)
    t = item.t + by
    t.flags.writeable = False
    return replace(item, t=t, span=span)
