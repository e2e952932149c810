"""A small service: watch the event rate of a stream, and raise an alarm while it is high.

python activity_alarm.py street.raw 3000

It ends with the stream, or cleanly on Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterable

import aevents
from aevents import EventBatch, ms, s

WINDOW_US = 50 * ms


async def watch(windows: AsyncIterable[EventBatch], limit_hz: float) -> int:
    """Print when the rate goes over the limit and when it is back; return how many alarms."""
    alarms, high = 0, False
    async for window in windows:
        rate = len(window) * s / window.span.duration_us
        if (rate > limit_hz) != high:
            high = not high
            alarms += high
            print(
                f"{window.span.start / s:.3f} s: {'ALARM' if high else 'quiet again'}", flush=True
            )
    return alarms


async def main() -> None:
    """Watch until the stream ends or somebody says stop."""
    windows = aevents.open(sys.argv[1]).window(duration_us=WINDOW_US)
    async with windows.open() as running:  # closed when the block is left, however that happens
        watching = asyncio.create_task(watch(running, float(sys.argv[2])))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
        await asyncio.wait([watching])
    ending = "stopped" if watching.cancelled() else f"{watching.result()} alarms"
    print(f"{ending} after {running.report.delivered} windows")


if __name__ == "__main__":
    aevents.run(main)
