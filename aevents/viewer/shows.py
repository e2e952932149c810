"""A show: one source as pages see it, and what they may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aevents.errors import AeventsError
from aevents.types import Sensor
from aevents.viewer.asking import Asker
from aevents.viewer.messages import About, Knob, State, Status, ToPage
from aevents.viewer.packing import Packer, Piece
from aevents.viewer.slots import Outbox, Slot

PIECE_SECONDS = 1 / 75
"""Wall time that a piece stands for: less than a screen takes, which would beat with it."""


class RefusedError(AeventsError):
    """What a page asks cannot be done; the message says why, to a person."""


class Figures:
    """Events that were shown since somebody last asked."""

    def __init__(self) -> None:
        self.events: int = 0
        self.on: int = 0

    def add(self, piece: Piece) -> None:
        """Count those of a piece."""
        self.count(piece.events, piece.on)

    def count(self, events: int, on: int) -> None:
        """Count so many."""
        self.events += events
        self.on += on

    def taken(self) -> tuple[int, int]:
        """Return the events and those of them that are ON, and begin again."""
        found = self.events, self.on
        self.events = self.on = 0
        return found


class Show:
    """What all shows have in common: who looks, how it stands, and the newest piece.

    Subclasses `run`, `publish` pieces, and do what pages ask; what they do not, is refused.
    """

    live: bool = True
    seekable: bool = False

    def __init__(self, id: int, name: str, url: str) -> None:
        self.id: int = id
        self.name: str = name
        self.url: str = url
        self.state: State = "playing"
        self.time_us: int = 0
        self.speed: float = 1.0
        self.error: str | None = None
        self.recording: str | None = None
        self.sensor: Sensor = Sensor()
        self.first_us: int | None = None
        self.last_us: int | None = None
        self.figures: Figures = Figures()
        self.packer: Packer = Packer(id)
        self.told: Callable[[ToPage, object], None] = lambda _message, _key: None
        self.changed: Callable[[], None] = lambda: None
        self.asker: Asker = Asker(self, {})
        self._pages: dict[Outbox, Slot] = {}
        self._newest: dict[bool, Piece] = {}

    # -- who looks ------------------------------------------------------------------------------

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._pages)

    def attach(self, page: Outbox) -> None:
        """Show it to this page too, at once what was last shown."""
        slot = Slot()
        for piece in self._newest.values():
            slot.offer(piece)
        self._pages[page] = page.slots[self.id] = slot
        page.tell(self.status(), ("state", self.id))

    def detach(self, page: Outbox) -> None:
        """Show it to this page no more."""
        self._pages.pop(page, None)
        page.slots.pop(self.id, None)

    def publish(self, piece: Piece) -> None:
        """Show a piece to everybody."""
        self.time_us = piece.span.stop
        self.figures.add(piece)
        self._newest[piece.is_picture] = piece
        if piece.sensor.sized and piece.sensor != self.sensor:
            self.sensor = piece.sensor
            self.changed()
        for page, slot in self._pages.items():
            slot.offer(piece)
            page.wake()

    # -- how it stands --------------------------------------------------------------------------

    def about(self) -> About:
        """Return what `Hello` says of it."""
        return About(
            self.id, self.name, self.url, self.live, self.seekable, self.sensor.width,
            self.sensor.height, self.first_us, self.last_us, self.biases, self.roi,
            self.can_record, self.models,
        )  # fmt: skip

    def status(self) -> Status:
        """Return how it stands."""
        return Status(self.id, self.state, self.time_us, self.speed, self.error, self.recording)

    def stand(self, state: State, error: str | None = None) -> None:
        """Note how it stands, and tell everybody."""
        self.state, self.error = state, error
        self.tell_status()

    def tell_status(self) -> None:
        """Tell everybody how it stands."""
        self.told(self.status(), ("state", self.id))

    def tell(self, message: ToPage) -> None:
        """Tell everybody this."""
        self.told(message, None)

    @property
    def biases(self) -> Mapping[str, Knob]:
        """What a camera lets itself be told."""
        return {}

    @property
    def roi(self) -> bool:
        """Whether a camera can send a region only."""
        return False

    @property
    def can_record(self) -> bool:
        """Whether it can be recorded here."""
        return False

    @property
    def models(self) -> Sequence[str]:
        """The models that can be asked."""
        return tuple(self.asker.models)

    def drops(self) -> Mapping[str, int]:
        """Return what was lost so far, by cause."""
        return {}

    # -- what pages ask -------------------------------------------------------------------------

    async def run(self) -> None:
        """Show it, until cancelled."""

    def play(self) -> None:
        """Go on."""
        raise RefusedError(f"{self.name} cannot be played from here")

    def pause(self) -> None:
        """Stand still."""
        raise RefusedError(f"{self.name} cannot be paused from here")

    def step(self, by_us: int, window_us: int) -> None:
        """Go on by so much, or back, and stand still."""
        raise RefusedError(f"{self.name} is live: it has no steps")

    def seek(self, time_us: int, window_us: int) -> None:
        """Go there."""
        raise RefusedError(f"{self.name} is live: there is no going back")

    def set_speed(self, value: float) -> None:
        """Play so much faster than it happened."""
        raise RefusedError(f"{self.name} is live: it has a speed of its own")

    async def record(self, *, on: bool) -> None:
        """Begin a recording, or end it."""
        raise RefusedError(f"{self.name} cannot be recorded here")

    async def set_bias(self, name: str, value: int) -> None:
        """Set a bias of a camera."""
        raise RefusedError(f"{self.name} has no biases that can be set")

    async def set_roi(self, roi: tuple[int, int, int, int]) -> None:
        """Let a camera send a region only: left, top, width and height."""
        raise RefusedError(f"{self.name} has no region that can be set")

    def ask(self, model: str, every_us: int, *, on: bool) -> None:
        """Ask a model from now on, or no more."""
        if model not in self.asker.models:
            raise RefusedError(f"there is no model {model} here")
        self.asker.ask(model, every_us, on=on)
