"""Say every second what comes over ZeroMQ, from which sensors, and what was lost on the way.

python zmq_watch.py zmq+tcp://127.0.0.1:40001

It runs until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterable

import aevents
from aevents import EventBatch, Report


def told(events: Counter[str], report: Report) -> str:
    """Return a line about what came, and what was lost."""
    sensors = ", ".join(f"{name or 'unnamed'} {count}" for name, count in sorted(events.items()))
    return f"{sensors or 'nothing'}; lost: {report.get('lost_events', 0)}"


async def count(batches: AsyncIterable[EventBatch], events: Counter[str]) -> None:
    """Count the events of each sensor."""
    async for batch in batches:
        events[batch.sensor.name] += len(batch)


async def main() -> None:
    """Watch until somebody says stop."""
    events: Counter[str] = Counter()
    async with aevents.open(sys.argv[1]).open() as batches:
        counting = asyncio.create_task(count(batches, events))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, counting.cancel)
        while not counting.done():
            await asyncio.wait([counting], timeout=1)
            print(told(events, batches.report), flush=True)
    if not counting.cancelled():
        counting.result()  # raises what went wrong


if __name__ == "__main__":
    aevents.run(main)
