"""Every way to read: each gives what stands here, async and blocking, every time.

The page of the docs shows the same table, word for word.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import anyio.lowlevel
import anyio.to_thread
import numpy as np
import numpy.typing as npt
import pytest

import aevents
from aevents import Event, EventBatch, Frame, Sensor, ms
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing import encode, example_events
from aevents.types import EVENT_DTYPE

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "every-way-to-read.md"
SENSOR = Sensor(64, 48)
EVENTS = example_events(2_000, sensor=SENSOR)
COUNT, DURATION_US, HOP_US = 500, 100 * ms, 50 * ms

Parts = list[tuple[int, int]]


class Way(NamedTuple):
    """A row of the table, and of which events the answer is made: `(start, stop)`, one an item."""

    mode: str
    grouping: str
    form: str
    parts: Parts
    awaited: str
    blocking: str


def by_count() -> Parts:
    return [(at, min(at + COUNT, len(EVENTS))) for at in range(0, len(EVENTS), COUNT)]


def by_time(hop_us: int = DURATION_US) -> Parts:
    """The events of each window, up to the one in which the last event is."""
    first, last = int(EVENTS.t[0]), int(EVENTS.t[-1])
    bounds = [(at, at + DURATION_US) for at in range(first, last + 1, hop_us)]
    return [(earlier(start), earlier(stop)) for start, stop in bounds]


def by_both() -> Parts:
    """Whichever comes first; the next window begins at that cut."""
    parts, at, start = [], 0, int(EVENTS.t[0])
    while at < len(EVENTS):
        stop = min(at + COUNT, earlier(start + DURATION_US))
        parts.append((at, stop))
        full = stop == at + COUNT
        start = int(EVENTS.t[stop - 1]) if full else start + DURATION_US
        at = stop
    return parts


def earlier(time: int) -> int:
    """How many events there are before this time."""
    return sum(t < time for t in EVENTS.t.tolist())


ALL: Parts = [(0, len(EVENTS))]
SINGLE: Parts = [(at, at + 1) for at in range(len(EVENTS))]
WAYS = [
    Way(
        "read", "all", "events", ALL,
        "await rec.collect()",
        'aevents.load("street.raw")',
    ),
    Way(
        "read", "all", "events, 1-d array", ALL,
        "np.asarray(await rec.collect())",
        'np.asarray(aevents.load("street.raw"))',
    ),
    Way(
        "read", "all", "frame, 2-d", ALL,
        "await rec.frames().one()",
        "next(rec.frames().blocking())",
    ),
    Way(
        "read", "parts by count", "events", by_count(),
        "await rec.window(count=500).to_list()",
        "list(rec.window(count=500).blocking())",
    ),
    Way(
        "read", "parts by count", "events, 2-d array", by_count(),
        "np.stack(await rec.window(count=500, partial=False).map(np.asarray).to_list())",
        "np.stack([*rec.window(count=500, partial=False).map(np.asarray).blocking()])",
    ),
    Way(
        "read", "parts by count", "frames, 3-d array", by_count(),
        "await rec.window(count=500).frames().stack()",
        "np.stack([*rec.window(count=500).frames().blocking()])",
    ),
    Way(
        "read", "parts by time", "events", by_time(),
        "await rec.window(duration_us=100 * ms).to_list()",
        "list(rec.window(duration_us=100 * ms).blocking())",
    ),
    Way(
        "read", "parts by time", "frames, 3-d array", by_time(),
        "await rec.window(duration_us=100 * ms).frames().stack()",
        "np.stack([*rec.window(duration_us=100 * ms).frames().blocking()])",
    ),
    Way(
        "read", "parts by time and count", "events", by_both(),
        "await rec.window(duration_us=100 * ms, count=500).to_list()",
        "list(rec.window(duration_us=100 * ms, count=500).blocking())",
    ),
    Way(
        "read", "parts by time and count", "frames, 3-d array", by_both(),
        "await rec.window(duration_us=100 * ms, count=500).frames().stack()",
        "np.stack([*rec.window(duration_us=100 * ms, count=500).frames().blocking()])",
    ),
    Way(
        "iterate", "single", "event", SINGLE,
        "async for t, x, y, p in rec.each(): use(t, x, y, p)",
        'for t, x, y, p in aevents.load("street.raw"): use(t, x, y, p)',
    ),
    Way(
        "iterate", "parts by count", "events", by_count(),
        "async for window in rec.window(count=500): use(window)",
        "for window in rec.window(count=500).blocking(): use(window)",
    ),
    Way(
        "iterate", "parts by count", "frames, 2-d", by_count(),
        "async for frame in rec.window(count=500).frames(): use(frame)",
        "for frame in rec.window(count=500).frames().blocking(): use(frame)",
    ),
    Way(
        "iterate", "parts by time", "events", by_time(),
        "async for window in rec.window(duration_us=100 * ms): use(window)",
        "for window in rec.window(duration_us=100 * ms).blocking(): use(window)",
    ),
    Way(
        "iterate", "parts by time", "frames, 2-d", by_time(),
        "async for frame in rec.window(duration_us=100 * ms).frames(): use(frame)",
        "for frame in rec.window(duration_us=100 * ms).frames().blocking(): use(frame)",
    ),
    Way(
        "iterate", "parts by time and count", "events", by_both(),
        "async for window in rec.window(duration_us=100 * ms, count=500): use(window)",
        "for window in rec.window(duration_us=100 * ms, count=500).blocking(): use(window)",
    ),
    Way(
        "iterate", "overlapping parts", "events", by_time(HOP_US),
        "async for window in rec.window(duration_us=100 * ms, hop_us=50 * ms): use(window)",
        "for window in rec.window(duration_us=100 * ms, hop_us=50 * ms).blocking(): use(window)",
    ),
]  # fmt: skip
LIVE = "async with aevents.accumulate(rec) as seen: frame = seen.read()"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "street.raw").write_bytes(encode(Evt3Encoder(), [EVENTS]))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.mode}-{way.grouping}-{way.form}")
async def test_a_way_gives_its_answer_async_and_blocking_every_time(way: Way) -> None:
    answers = [await answer(code) for code in 2 * (way.awaited, way.blocking)]
    assert_made_of(answers[0], way)
    first, *others = [told(one) for one in answers]
    assert others == 3 * [first]


async def test_the_newest_frame_has_what_came_since_the_last_look() -> None:
    names = await run(LIVE)
    assert isinstance(names["frame"], Frame)
    async with aevents.accumulate(aevents.open("street.raw")) as seen:
        frames = [seen.read()]
        while not seen.ended:
            frames.append(seen.read())
            await anyio.lowlevel.checkpoint()
        frames.append(seen.read())
    assert np.array_equal(sum(frame.array for frame in frames), picture(EVENTS))
    assert [frame.span.start for frame in frames[1:]] == [frame.span.stop for frame in frames[:-1]]


def test_the_page_has_the_same_table() -> None:
    _, *rows = re.findall(r"^\| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    cells = [tuple(row.split(" | ")) for row in rows]
    expected = [(*way[:3], f"`{way.awaited}`", f"`{way.blocking}`") for way in WAYS]
    assert cells == [*expected, ("stream", "newest", "frame, 2-d", f"`{LIVE}`", "none")]


async def run(code: str) -> dict[str, object]:
    """Run a line of the table; return the names that it leaves."""
    used: list[object] = []
    names: dict[str, object] = {
        "aevents": aevents,
        "np": np,
        "ms": ms,
        "rec": aevents.open("street.raw"),
        "use": lambda *item: used.append(item[0] if len(item) == 1 else Event(*item)),
        "used": used,
    }
    compiled = compile(code, "the table", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    coroutine = await anyio.to_thread.run_sync(eval, compiled, names)
    if inspect.iscoroutine(coroutine):
        await coroutine
    return names


async def answer(code: str) -> object:
    """What a line of the table gives, or uses."""
    if "use(" in code:
        return (await run(code))["used"]
    return (await run(f"answer = {code}"))["answer"]


def told(answer: object) -> object:
    """All there is to an answer, so that two can be compared."""
    if isinstance(answer, list):
        return [told(one) for one in answer]
    if isinstance(answer, EventBatch):
        return list(answer), answer.span, answer.sensor
    if isinstance(answer, Frame):
        return told(answer.array), answer.span, answer.sensor, answer.mode
    if isinstance(answer, np.ndarray):
        return answer.dtype, answer.shape, answer.tolist()
    return answer


def assert_made_of(answer: object, way: Way) -> None:
    """Assert that each item is made of just those events."""
    assert len(way.parts) > 2 or way.parts == ALL
    items: Sequence[object] = answer if isinstance(answer, list) else [answer]
    if isinstance(answer, np.ndarray) and way.parts != ALL:
        items = list(answer)
    assert len(items) == len(way.parts)
    check = CHECKS[way.form]
    for item, (start, stop) in zip(items, way.parts, strict=True):
        check(item, EVENTS[start:stop])


def is_events(item: object, events: EventBatch) -> None:
    assert isinstance(item, EventBatch)
    assert list(item) == list(events)


def is_event(item: object, events: EventBatch) -> None:
    assert isinstance(item, Event)
    assert [item] == list(events)


def is_array(item: object, events: EventBatch) -> None:
    assert isinstance(item, np.ndarray)
    assert item.dtype == EVENT_DTYPE
    assert item.tolist() == list(events)


def is_frame(item: object, events: EventBatch) -> None:
    assert isinstance(item, Frame)
    assert np.array_equal(item.array, picture(events))


def is_picture(item: object, events: EventBatch) -> None:
    assert isinstance(item, np.ndarray)
    assert np.array_equal(item, picture(events))


CHECKS: dict[str, Callable[[object, EventBatch], None]] = {
    "events": is_events,
    "event": is_event,
    "events, 1-d array": is_array,
    "events, 2-d array": is_array,
    "frame, 2-d": is_frame,
    "frames, 2-d": is_frame,
    "frames, 3-d array": is_picture,
}


def picture(events: EventBatch) -> npt.NDArray[np.float32]:
    """How many events each pixel has."""
    counts = np.zeros((SENSOR.height, SENSOR.width), np.float32)
    np.add.at(counts, (events.y, events.x), 1)
    return counts
