"""Cameras of Prophesee and its partners, and recordings, through Metavision HAL.

HAL gives the words of a camera, which our own decoders read; or what it makes of them, where they
are in a format that we do not know.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from aevents._native.wake import Wake
from aevents.cameras.metavision import Settings
from aevents.cameras.metavision_bridge import Hal, ffi, listed
from aevents.cameras.settings import check_roi
from aevents.codecs.base import Watch
from aevents.codecs.evt2 import Evt2Decoder
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.evt4 import Evt4Decoder
from aevents.codecs.evt21 import Evt21Decoder
from aevents.codecs.header import Header, parse_header
from aevents.errors import DeviceError, DeviceLostError, DeviceNotFoundError
from aevents.types import EventBatch, Sensor, TriggerBatch

Item = EventBatch | TriggerBatch
Words = Evt2Decoder | Evt21Decoder | Evt3Decoder | Evt4Decoder

DECODERS: Mapping[str, type[Words]] = {
    "EVT2": Evt2Decoder,
    "EVT21": Evt21Decoder,
    "EVT3": Evt3Decoder,
    "EVT4": Evt4Decoder,
}
EVENT = np.dtype(
    {"names": list("xypt"), "formats": ["<u2", "<u2", "<i2", "<i8"], "offsets": [0, 2, 4, 8],
     "itemsize": 16}
)  # fmt: skip
EDGE = np.dtype(
    {"names": ["p", "t", "id"], "formats": ["<i2", "<i8", "<i2"], "offsets": [0, 8, 16],
     "itemsize": 24}
)  # fmt: skip
"""As `ae_hal_event` and `ae_hal_edge`."""


def open_camera(serial: str, kind: type, settings: Settings, /) -> MetavisionCamera:
    """Open the camera with this serial number, or the only one that HAL sees.

    Raises `DeviceNotFoundError`, `DeviceError`, and `MissingExtraError` where HAL is missing.
    """
    cameras = listed()
    fit = [one for one in cameras if not serial or one == serial or one.endswith(f":{serial}")]
    seen = [f"metavision:{one}" for one in cameras]
    if not fit:
        raise DeviceNotFoundError(f"HAL sees no camera {serial}".rstrip(), seen)
    if len(fit) > 1:
        raise DeviceNotFoundError("there are several cameras: say which", seen)
    return MetavisionCamera(fit[0], kind, settings)


class MetavisionCamera:
    """An open camera, or recording, that streams; `kind` says what of."""

    def __init__(
        self, name: str, kind: type, settings: Settings, /, *, recording: bool = False
    ) -> None:
        self.name: str = name
        self._kind = kind
        self._items: deque[Item] = deque()
        self._ended = False
        self._wake = Wake()
        with ExitStack() as undoing:
            undoing.callback(self._wake.close)  # when HAL has ended, and calls it no more
            self._hal = Hal(name, recording=recording)
            undoing.callback(self._hal.close)
            text = self._hal.header
            header = parse_header(text, Watch("metavision", strict=False), final=True)
            assert header is not None  # it is all there
            self.sensor: Sensor = header.sensor()
            if not recording:
                self._configure(settings)
            self._decoder = _decoder(text, header, decoded=settings.decoded, live=not recording)
            decoded = isinstance(self._decoder, HalDecoder)
            self._hal.start(self._wake, decoded=decoded, queue=settings.queue)
            self._undoing = undoing.pop_all()

    @property
    def file(self) -> int:
        """Readable when something may have come."""
        return self._wake.file

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        counts = dict(self._decoder.counts)
        if overruns := self._hal.overruns:
            counts["queue_overruns"] = overruns
        return counts

    def take(self) -> Item | None:
        """Return what has come next; None if nothing has. Raises `DeviceLostError`, and `EOFError`
        at the end of a recording.
        """
        while not self._items:
            self._wake.clear()
            try:
                piece = self._hal.take()
            except DeviceLostError as error:
                raise DeviceLostError(f"metavision:{self.name}: {error}") from None
            except EOFError:
                if self._ended:
                    raise
                self._ended = True
                self._keep(self._decoder.flush())
                continue
            if piece is None:
                return None
            self._keep(self._read(piece))
        return self._items.popleft()

    def close(self) -> None:
        """Stop it, and give it back; it blocks."""
        self._undoing.close()

    def _configure(self, settings: Settings) -> None:
        if settings.biases:
            known = self._hal.biases
            for name, value in settings.biases.items():
                if name not in known:
                    raise ValueError(f"there is no bias {name!r}; known: {', '.join(known)}")
                self._hal.set_bias(name, value)
        if settings.roi is not None:
            check_roi(settings.roi, self.sensor.width, self.sensor.height)
            self._hal.set_roi(settings.roi)
        if settings.event_rate is not None:
            self._hal.set_event_rate(settings.event_rate)
        asked = issubclass(TriggerBatch, self._kind)
        if asked if settings.triggers is None else settings.triggers:
            self._hal.watch_edges()

    def _keep(self, items: Iterator[Item]) -> None:
        self._items.extend(one for one in items if isinstance(one, self._kind))

    def _read(self, piece: Any) -> Iterator[Item]:  # noqa: ANN401  # cffi's
        if isinstance(self._decoder, HalDecoder):
            return self._decoder.feed(piece)
        return self._decoder.feed(bytes(ffi.buffer(piece.data, piece.bytes)))


class HalDecoder:
    """Makes batches of what HAL has decoded."""

    def __init__(self, sensor: Sensor, /) -> None:
        self._watch = Watch("metavision", strict=False)
        self._watch.use(sensor)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def flush(self) -> Iterator[Item]:
        """Give nothing: all has been given."""
        return iter(())

    def feed(self, piece: Any, /) -> Iterator[Item]:  # noqa: ANN401
        """Give the edges and events of an `ae_hal_piece`."""
        if piece.edges:
            edges = np.frombuffer(ffi.buffer(piece.edge, piece.edges * EDGE.itemsize), EDGE)
            yield self._watch.triggers(
                *_frozen(edges["t"].copy(), edges["id"].astype(np.uint8), edges["p"] != 0)
            )
        if piece.events:
            events = np.frombuffer(ffi.buffer(piece.event, piece.events * EVENT.itemsize), EVENT)
            t, x, y = (events[name].copy() for name in "txy")
            yield self._watch.batch(*_frozen(t, x, y, events["p"] > 0))


def _decoder(
    text: bytes, header: Header, *, decoded: bool | None, live: bool
) -> Words | HalDecoder:
    """Return what decodes a format; what takes HAL's events if `decoded`, or if nothing does."""
    make = DECODERS.get(header.format)
    if decoded is False and make is None:
        raise DeviceError(f"its format is {header.format or 'not told'}: only HAL decodes that")
    if decoded or make is None:
        return HalDecoder(header.sensor())
    decoder = make()
    if live:
        decoder.hurry()  # what a camera says is wanted at once
    for _ in decoder.feed(text):
        pass  # there are no words yet
    return decoder


def _frozen(*arrays: Any) -> tuple[Any, ...]:  # noqa: ANN401
    for array in arrays:
        array.flags.writeable = False
    return arrays
