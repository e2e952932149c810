"""The operators as they are written on the command line: read in the order written.

The words that there are stand in `words.py`; each belongs to one step of the stream. The words of a
window, and those of the frames, say one thing together: such a step stands where its first word
does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from cyclopts import Group, Parameter, Token

from aevents.cli.words import WORDS, Options, Word
from aevents.operators.select import TakeEvents
from aevents.stream import Stream
from aevents.types import EventBatch

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from cyclopts.help.protocols import HelpFormatter
    from rich.console import Console, ConsoleOptions

JOINED = {"window": ("duration_us", "count"), "frames": ("mode",)}
"""Steps of which there is one, and the options of which it needs one."""
WHOLE = ("crop", "polarity", "time_slice", "take")
"""The steps of `aevents convert`, in which other kinds pass beside the events."""


class Written(msgspec.Struct, frozen=True):
    """A word that somebody wrote, and the options that it means."""

    word: Word
    options: Options


class Step(msgspec.Struct):
    """One operator to be: the method of `Stream` that appends it, and that method's options."""

    method: str
    options: dict[str, object]


def put(stream: Stream[EventBatch], steps: Sequence[Step]) -> Stream[object]:
    """Return the stream with these steps appended, in this order.

    Raises `ValueError` for what the operators do not accept, and for events wanted after frames.
    """
    made = cast("Stream[object]", stream)
    before: set[str] = set()
    for step in steps:
        _refuse_misplaced(step, made, before)
        whole = before.isdisjoint(JOINED)
        method = "take_events" if step.method == "take" and whole else step.method
        made = METHODS[method](made, **step.options)
        before.add(step.method)
    return made


def steps_of(written: Sequence[Written], *, partial: bool = True) -> list[Step]:
    """Return the steps that these words ask for; `partial` is false where `--no-partial` was given.

    Raises `ValueError` for a word given twice to one window, and for one that lacks its company.
    """
    steps: list[Step] = []
    for one in written:
        step = next((s for s in steps if s.method == one.word.step and s.method in JOINED), None)
        if step is None:
            steps.append(step := Step(one.word.step, {}))
        if step.options.keys() & one.options.keys():
            raise ValueError(f"{one.word.name} is given twice")
        step.options.update(one.options)
    for step in steps:
        _refuse_incomplete(step)
    return steps if partial else _without_partial(steps)


def start_of(steps: Sequence[Step]) -> int:
    """Return the time, in µs, before which these steps want nothing."""
    first = steps[0] if steps else Step("", {})
    return cast("int", first.options.get("start", 0)) if first.method == "time_slice" else 0


def read_words(_type: object, tokens: Sequence[Token]) -> list[Written]:
    """Return what these tokens of cyclopts say, in the order written. Raises `ValueError`."""
    written = []
    for token in tokens:
        word = next(word for word in WORDS if word.name == token.keyword)
        written.append(Written(word, word.read(token.value)))
    return written


def _refuse_misplaced(step: Step, made: Stream[object], before: Collection[str]) -> None:
    if "frames" in before and step.method != "take":
        name = step.method.replace("_", "-")
        raise ValueError(f"{name} works on events: write it before --frames")
    if step.method == "frames" and made.endless and not made.windowed:
        raise ValueError("a live source has no end: write --window-us N before --frames")


def _refuse_incomplete(step: Step) -> None:
    needed = JOINED.get(step.method, ())
    if needed and step.options.keys().isdisjoint(needed):
        names = [word.name for word in WORDS if word.step == step.method]
        heads, others = names[: len(needed)], names[len(needed) :]  # as the table has them
        raise ValueError(f"{', '.join(others)}: of no use without {' or '.join(heads)}")


def _without_partial(steps: list[Step]) -> list[Step]:
    for step in steps:
        if step.method == "window":
            step.options["partial"] = False
            return steps
    raise ValueError("--no-partial: of no use without --window-us or --window-count")


def _polarity(stream: Stream[EventBatch], *, keep: bool) -> Stream[EventBatch]:
    return stream.polarity(keep)


def _take(stream: Stream[object], *, count: int) -> Stream[object]:
    return stream.take(count)


def _take_events(stream: Stream[EventBatch], *, count: int) -> Stream[EventBatch]:
    TakeEvents(count)  # to see at once that it can be
    return msgspec.structs.replace(stream.through(partial(TakeEvents, count)), endless=False)


def _one(method: Callable[..., Stream[EventBatch]]) -> Callable[..., Stream[EventBatch]]:
    """Return a method whose first argument has no name of its own, with one: `value`."""

    def append(
        stream: Stream[EventBatch], *, value: object, **options: object
    ) -> Stream[EventBatch]:
        return method(stream, value, **options)

    return append


METHODS = cast(  # each takes a stream of what the one before it gives: `put` sees to that
    "dict[str, Callable[..., Stream[object]]]",
    {
        "crop": Stream.crop,
        "polarity": _polarity,
        "time_slice": Stream.time_slice,
        "take": _take,
        "take_events": _take_events,
        "mask": _one(Stream.mask),
        "denoise": Stream.denoise,
        "refractory": Stream.refractory,
        "contrast": Stream.contrast,
        "without_hot_pixels": Stream.without_hot_pixels,
        "without_lines": Stream.without_lines,
        "keep_every": _one(Stream.keep_every),
        "drop_by_chance": _one(Stream.drop_by_chance),
        "flip": _one(Stream.flip),
        "rotate": _one(Stream.rotate),
        "downsample": _one(Stream.downsample),
        "scale": Stream.scale,
        "undistort": Stream.undistort,
        "window": Stream.window,
        "frames": Stream.frames,
    },
)


def _help_of(words: Sequence[Word]) -> HelpFormatter:
    def show(console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        from cyclopts.help import DefaultFormatter, HelpEntry

        entries = [
            HelpEntry(positive_names=(f"{word.name} {word.value}",), description=word.about)
            for word in words
        ]
        DefaultFormatter()(console, options, panel.copy(entries=entries))

    return show


def _parameter(words: Sequence[Word]) -> Parameter:
    """Return one parameter for all these options: so cyclopts hands them on in order."""
    group = Group("Operators, applied in the order written", help_formatter=_help_of(words))
    return Parameter(
        name=[word.name for word in words],
        converter=read_words,
        group=group,
        negative=(),
        n_tokens=1,
        allow_leading_hyphen=True,
    )


Operators = Annotated[list[Written], _parameter(WORDS)]
EventOperators = Annotated[
    list[Written], _parameter([word for word in WORDS if word.step in WHOLE])
]
