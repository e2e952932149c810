"""What a page and its server tell each other as JSON; docs/reference/viewer.md describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from aevents.errors import AeventsError

VERSION = 1
"""Of the wire: a page of another version says so and stops."""
MOST_BYTES = 65_536
"""A message from a page is not larger."""

State = Literal["playing", "paused", "ended", "failed"]


class FromPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=str.lower):
    """What a page says; `show` is the number of a show."""


class OfShow(FromPage, frozen=True, kw_only=True):
    """What a page says about one show."""

    show: int


class Credit(OfShow, frozen=True):
    """The page has drawn the piece `seq`, and takes `count` more."""

    seq: int = 0
    count: int = 1


class Play(OfShow, frozen=True):
    """Go on; from the beginning where it has ended, and open again what has failed."""


class Pause(OfShow, frozen=True):
    """Stand still. What is live goes on being read and recorded."""


class Step(OfShow, frozen=True):
    """Go on by `duration_us`, or back, and stand still; see `Seek` for `window_us`."""

    duration_us: int
    direction: Literal[1, -1] = 1
    window_us: int = 0


class Seek(OfShow, frozen=True):
    """Go to `time_us`. What comes next is the piece of the `window_us` before it."""

    time_us: int
    window_us: int = 0


class Speed(OfShow, frozen=True):
    """Play at `value` times the speed at which it happened."""

    value: float


class Record(OfShow, frozen=True):
    """Begin a recording, or end it."""

    on: bool


class SetBias(OfShow, frozen=True, tag="set_bias"):
    """Set one bias of a camera."""

    name: str
    value: int


class SetRoi(OfShow, frozen=True, tag="set_roi"):
    """Let a camera send events of this region only."""

    x: int
    y: int
    width: int
    height: int


class Open(FromPage, frozen=True):
    """Show a recording of the folder, by its name in `Hello`, beside what is shown."""

    name: str


class Close(OfShow, frozen=True):
    """Show this no more, to nobody."""


class Run(OfShow, frozen=True):
    """Ask a model every `every_us` from now on, or no more."""

    model: str
    on: bool
    every_us: int = 0


Command = (
    Credit | Play | Pause | Step | Seek | Speed | Record | SetBias | SetRoi | Open | Close | Run
)


class Knob(msgspec.Struct, frozen=True):
    """A bias of a camera: what it is, and how far it goes."""

    value: int
    min: int
    max: int


class About(msgspec.Struct, frozen=True):
    """A show as `Hello` describes it. Numbers that are not known yet are 0, times null."""

    id: int
    name: str
    url: str
    live: bool
    seekable: bool
    width: int
    height: int
    first_us: int | None
    last_us: int | None
    biases: Mapping[str, Knob]
    roi: bool
    record: bool
    models: Sequence[str]


class ToPage(msgspec.Struct, frozen=True, tag=str.lower):
    """What the server says."""


class Can(msgspec.Struct, frozen=True):
    """What this server does when it is asked."""

    record: bool
    open: bool


class Hello(ToPage, frozen=True):
    """What there is: told at the beginning, and again, as a whole, whenever any of it changes."""

    version: int
    server: str
    shows: Sequence[About]
    can: Can
    folder: Sequence[str]


class Status(ToPage, frozen=True, tag="state"):
    """How a show stands: told at the beginning, when it changes, and a few times a second."""

    show: int
    state: State
    time_us: int
    speed: float
    error: str | None
    recording: str | None


class Stats(ToPage, frozen=True):
    """Figures of a show, a few times a second.

    `rate_hz`, `on` and `off` are of the events since the last one, `drops` since the beginning.
    `lag_ms` is how late the event loop was at most, `age_ms` how long the newest events that this
    page has drawn took from their arrival to its credit, `skipped` and `skipped_events` count what
    this page was too slow for.
    """

    show: int
    rate_hz: float
    on: int
    off: int
    drops: Mapping[str, int]
    lag_ms: float
    age_ms: float | None
    skipped: int
    skipped_events: int
    clients: int


class Rates(ToPage, frozen=True):
    """How many events there are in each `step_us` of a recording, from `start_us` on, as far as it
    has been looked through: to its end if `whole`.
    """

    show: int
    start_us: int
    step_us: int
    counts: Sequence[int]
    whole: bool


class Box(msgspec.Struct, frozen=True):
    """A rectangle in pixels of the sensor, and what it holds."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""
    score: float | None = None


class Said(ToPage, frozen=True, tag="result"):
    """What a model said of the events in `[start_us, stop_us)`, or the error that it raised."""

    show: int
    model: str
    start_us: int
    stop_us: int
    value: object
    boxes: Sequence[Box]
    labels: Sequence[str]
    error: str | None
    latency_us: int
    skipped: int


class Saved(ToPage, frozen=True):
    """Something was written into the folder."""

    show: int
    what: Literal["recording"]
    name: str


class Problem(ToPage, frozen=True):
    """Something did not work, in words for a person."""

    show: int | None
    text: str


class MalformedError(AeventsError, ValueError):
    """A page said what no page says."""


_decoder = msgspec.json.Decoder(Command)
_encoder = msgspec.json.Encoder()


def read(text: str | bytes, /) -> Command:
    """Return what a page has said. Raises `MalformedError`."""
    try:
        command: Command = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise MalformedError(str(error)) from None
    return command


def written(message: ToPage, /) -> str:
    """Return what the server says, as JSON. Numbers that are no numbers are null."""
    return _encoder.encode(message).decode()
