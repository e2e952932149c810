"""Receive events over UDP, keep a region, and send it on; say every second how it goes.

python udp_relay.py "udp://:3333?size=640x480" udp://127.0.0.1:4444 320 240

The region is as wide and as high as the last two numbers say, from the corner on. It runs until
Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterable

import aevents
from aevents import EventBatch, Report, Sink


def told(report: Report) -> str:
    """Return a line about what came, and what was lost."""
    return f"{report.events} events, {report.get('kernel_drops', 0)} datagrams dropped"


async def relay(batches: AsyncIterable[EventBatch], sink: Sink[object]) -> None:
    """Send on what comes."""
    async for batch in batches:
        await sink.write(batch)


async def main() -> None:
    """Relay until somebody says stop."""
    source, target, width, height = sys.argv[1:]
    stream = aevents.open(source).crop(x=(0, int(width)), y=(0, int(height)))
    sink = aevents.create(target)
    async with stream.open() as batches:
        print("listening", flush=True)
        relaying = asyncio.create_task(relay(batches, sink))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, relaying.cancel)
        while not relaying.done():
            await asyncio.wait([relaying], timeout=1)
            print(told(batches.report), flush=True)
        await sink.aclose()
    if not relaying.cancelled():
        relaying.result()  # raises what went wrong


if __name__ == "__main__":
    aevents.run(main)
