"""SPIF: datagrams of 32-bit little-endian words, as SpiNNaker's boards and AEStream send them.

    31     1: no timestamp follows; 0: the next word is one, the low 32 bits of the time in µs
    30:16  column
    15     polarity, 1 is ON
    14:0   row

There is no header, and nothing says where a stream begins or ends. Specified by the SPIF board's
documentation (University of Manchester); AEStream 0.6.4 is the other end in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

from aevents._native import kernels
from aevents._native.datagrams import Datagrams
from aevents.codecs.base import Buffer, Watch
from aevents.errors import EncodeError
from aevents.types import EventBatch, Sensor

MOST_BYTES = 65_504
"""The longest datagram that UDP carries, in whole events."""
MOST_EVENTS = 65_536
"""Of a batch: what the source takes in one turn fits."""


class SpifDecoder:
    """Datagrams to events: an operator, and `decode` for many datagrams at a time.

    Events with timestamps have their sender's time, unwrapped past 2³² µs; a first time is taken as
    it is. A time is absurd when it is more than a minute ahead of the running time (beyond what has
    passed since), or more than a second behind: such events are left out, until the next datagram
    begins near that time too. Events without timestamps get the time at which their datagram came,
    or that of the event before, whichever is later. Events off the sensor are left out.
    """

    def __init__(self, sensor: Sensor | None = None, /) -> None:
        sensor = sensor or Sensor()
        self._watch = Watch("spif", strict=False)
        self._watch.use(sensor)
        self._state = kernels.spif_state(sensor.width, sensor.height)
        self._out = kernels.columns(MOST_EVENTS)

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return self._watch.counts

    def feed(self, datagram: Buffer, /, *, arrival_us: int = 0) -> Iterator[EventBatch]:
        """Give the events of one datagram, which came at `arrival_us`, if there are any.

        Raises `ValueError` for more than 65536 bytes.
        """
        one = kernels.datagrams(1)
        one.put(datagram)
        batch = self.decode(one, arrival_us)
        if len(batch):
            yield batch

    def flush(self) -> tuple[()]:
        """Give nothing: a datagram is whole."""
        return ()

    def decode(self, datagrams: Datagrams, arrival_us: int, /) -> EventBatch:
        """Return the events of the next datagrams, which came at `arrival_us`: up to 64 k, perhaps
        none.
        """
        kernels.spif_decode(datagrams, arrival_us, self._state, self._out)
        for name, total in self.anomalies().items():
            self._watch.note(name, total - self.counts.get(name, 0), name)
        return self._watch.batch(*self._out.take())

    def anomalies(self) -> dict[str, int]:
        """Return what the kernel has counted so far."""
        state = self._state
        return {
            "off_sensor": state.off_sensor,
            "absurd_times": state.absurd_times,
            "time_jumps": state.time_jumps,
            "torn_bytes": state.torn_bytes,
            "stale_bytes": state.stale_bytes,
        }


class SpifEncoder:
    """Events to datagrams of at most `datagram` bytes, 4 bytes an event, or 8 with `timestamps`.

    Raises `ValueError` for a size that is no multiple of that, or more than UDP carries.
    """

    def __init__(self, *, datagram: int = 512, timestamps: bool = False) -> None:
        self.event_bytes: int = 8 if timestamps else 4
        if not self.event_bytes <= datagram <= MOST_BYTES or datagram % self.event_bytes:
            raise ValueError(
                f"a datagram holds whole events of {self.event_bytes} bytes, up to {MOST_BYTES} "
                f"bytes in all, not {datagram}"
            )
        self.datagram: int = datagram
        self._timestamps = timestamps

    def feed(self, batch: EventBatch, /) -> Iterator[bytes]:
        """Give the datagrams of these events. Raises `EncodeError` as `encode` does."""
        words = self.encode(batch)
        for start in range(0, len(words), self.datagram):
            yield words[start : start + self.datagram]

    def flush(self) -> tuple[()]:
        """Give nothing: every batch has been sent to its end."""
        return ()

    def encode(self, batch: EventBatch, /) -> bytes:
        """Return the words of these events, to be cut every `datagram` bytes.

        Raises `EncodeError` for what is no batch of events, and for an event off its sensor,
        outside 32768x32768, or, with timestamps, before time 0.
        """
        if not isinstance(batch, EventBatch):
            raise EncodeError("spif", f"holds events, not {type(batch).__name__}")
        columns = batch.t, batch.x, batch.y, batch.p
        size = batch.sensor.width, batch.sensor.height
        words = kernels.spif_encode(*columns, timestamps=self._timestamps, size=size)
        sound = len(words) // self.event_bytes
        if sound < len(batch):
            t, x, y = int(batch.t[sound]), int(batch.x[sound]), int(batch.y[sound])
            raise EncodeError("spif", f"an event at t={t}, x={x}, y={y} does not fit")
        return words
