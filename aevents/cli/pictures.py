"""`aevents convert` of frames: from whatever they are read from, to whatever takes them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from aevents import _pictures, registry
from aevents._contracts import Report
from aevents.cli.conversion import Wanted, codec_written
from aevents.cli.delivery import draft, formats_for, sink_of
from aevents.cli.ending import run
from aevents.cli.figures import show
from aevents.stream import Stream
from aevents.types import EventBatch, Frame

ONLY_FRAMES = (Frame,)


def of_pictures(source: str, target: str, wanted: Wanted) -> bool:
    """Say whether it is frames alone that go from a source to a target: where the source is a video
    or a picture, and where `--only frames` says so and one of both is no recording of events.
    """
    if registry.split_url(source)[0] or wanted.given.from_:
        return False
    if _pictures.source_of(Path(source), EventBatch) is not None:
        return True
    elsewhere = (
        Path(target).suffix.lower() in _pictures.SINKS
        or Path(source).suffix.lower() in _pictures.SOURCES
    )
    return wanted.only == ONLY_FRAMES and elsewhere


def convert_pictures(source: str, target: str, wanted: Wanted) -> None:
    """Write the frames of a source elsewhere, and say how many there were.

    Raises `ValueError` for what is for events alone, and for a target that holds no frames; and
    what reading and writing raise.
    """
    if wanted.steps or wanted.zero_time or wanted.only not in ((), ONLY_FRAMES):
        raise ValueError(f"{source} gives frames: operators, --zero-time and --only are for events")
    stream = wanted.given.opened(source, Frame)
    [format] = formats_for([target], wanted.format, frames=True)
    options = _options(target, format)

    async def main() -> Report:
        numbered = "{" in Path(target).name  # one file for each
        kept = nullcontext(target) if numbered else draft(target, force=wanted.force)
        with kept as name:
            return await _delivered(stream, name, format, options)

    report = run(main)
    odd = sorted(report.anomalies.items())
    show([("frames", report.delivered), *odd, ("wrote", target)], stderr=target == "-")


async def _delivered(
    stream: Stream[Frame], name: str, format: str | None, options: dict[str, object]
) -> Report:
    return await stream.to(sink_of(name, format, **options))


def _options(target: str, format: str | None) -> dict[str, object]:
    """Return what a recording must be told that is to hold frames."""
    if format is None and Path(target).suffix.lower() in _pictures.SINKS:
        return {}
    codec = codec_written(target, format)
    return {} if codec is None else dict(codec.limits.options.get(Frame, {}))
