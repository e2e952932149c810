"""What a model is to see, and when: the last frames, some steps apart, every so often."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from aevents.types import Span

T = TypeVar("T")


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last `count` frames, every `step`-th of them: the newest, and so many before it.

    A model is not asked before there are that many, unless `partial` says that fewer will do at the
    beginning. Raises `ValueError` for a count or step below 1.

    >>> History(count=3, step=2).of([0, 1, 2, 3, 4, 5])
    (1, 3, 5)
    """

    count: int = 1
    step: int = 1
    partial: bool = False

    def __post_init__(self) -> None:
        for name in ("count", "step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)}")

    @property
    def reach(self) -> int:
        """How many frames back it goes, the newest included."""
        return (self.count - 1) * self.step + 1

    def of(self, frames: Sequence[T], /) -> tuple[T, ...]:
        """Return those of the frames, which come oldest first; nothing if there are too few."""
        if len(frames) < self.reach and not self.partial:
            return ()
        reached = frames[max(0, len(frames) - self.reach) :]
        return tuple(reached[(len(reached) - 1) % self.step :: self.step])


class Schedule(msgspec.Struct, frozen=True):
    """When a model is asked, and what it is shown.

    Its slots lie at `origin_us + k * every_us`, `k` from 0 on, and begin with the first frame
    unless `origin_us` says otherwise. A slot is due at the first frame that is presented then or
    later; without `every_us` each frame is a slot. Raises `ValueError` for an `every_us` below 1.
    """

    history: History = History()
    every_us: int | None = None
    origin_us: int | None = None

    def __post_init__(self) -> None:
        if self.every_us is not None and self.every_us < 1:
            raise ValueError(f"every_us is at least 1, not {self.every_us}")
        if self.every_us is None and self.origin_us is not None:
            raise ValueError("origin_us is where the grid of every_us begins: give that too")


class Moment(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """What a model is to be asked: the frames, oldest first, and their numbers in the stream.

    `index` counts the slots of the model. Where `due` is false, the slot was due before, and these
    are newer frames for it.
    """

    model: str
    index: int
    frames: tuple[T, ...]
    numbers: tuple[int, ...]
    span: Span
    due: bool = True


class Moments(Generic[T]):
    """Give, at each frame, the `Moment` of every model for which a slot is due, in their order, and
    `with_frames` then the frame itself.

    With `refresh` there is also one where no slot is due, for a model that is late. The frames that
    the histories reach back to are kept, no others. A time before that of the last frame begins the
    grids anew, and is counted as `backward_jumps`. Raises `TypeError` for what has no span.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        *,
        refresh: bool = False,
        with_frames: bool = False,
    ) -> None:
        self._slots = {name: _Slots(one) for name, one in schedules.items()}
        self._refresh = refresh
        self._with_frames = with_frames
        reach = max(one.history.reach for one in schedules.values())
        self._ring: deque[T] = deque(maxlen=reach)
        self._number = -1
        self._last: int | None = None
        self._jumps = 0

    @property
    def counts(self) -> dict[str, int]:
        """How often time went back."""
        return {"backward_jumps": self._jumps} if self._jumps else {}

    def feed(self, frame: T, /) -> Iterator[Moment[T] | T]:
        """Give what is due at this frame."""
        span = getattr(frame, "span", None)
        if not isinstance(span, Span):
            raise TypeError(f"a {type(frame).__name__} has no span: nobody knows when it is due")
        back = self._last is not None and span.start < self._last
        self._jumps += back
        self._last = span.start
        self._ring.append(frame)
        self._number += 1
        for name, slots in self._slots.items():
            yield from self._moment(name, slots, span, restart=back)
        if self._with_frames:
            yield frame

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _moment(
        self, name: str, slots: _Slots, span: Span, *, restart: bool
    ) -> Iterator[Moment[T]]:
        due = slots.reached(span.start, restart=restart)
        if not due and not self._refresh:
            return
        history, held = slots.schedule.history, len(self._ring)
        first = max(0, held - history.reach)
        frames = history.of(tuple(islice(self._ring, first, None)))
        if frames:
            slots.index += due
            newest, step = self._number, history.step
            numbers = tuple(range(newest - (len(frames) - 1) * step, newest + 1, step))
            yield Moment(name, slots.index, frames, numbers, span, due)


class _Slots:
    """The grid of one model, and how far it has come."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.index = -1
        self._next = schedule.origin_us

    def reached(self, time: int, *, restart: bool) -> bool:
        """Say whether a slot is due at this time, and go on to the next."""
        every = self.schedule.every_us
        if every is None:
            return True
        if self._next is None or restart:
            self._next = time
        if time < self._next:
            return False
        self._next += ((time - self._next) // every + 1) * every
        return True
