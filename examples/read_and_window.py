"""Read a recording in windows, and say what happened in each.

python read_and_window.py street.raw
"""

from __future__ import annotations

import sys

import aevents
from aevents import ms

WINDOW_US = 100 * ms


async def main() -> None:
    """Print a line a window, and what was odd in the recording."""
    windows = aevents.open(sys.argv[1]).window(duration_us=WINDOW_US)
    async with windows.open() as running:
        async for window in running:
            share = 100 * window.p.mean() if len(window) else 0
            print(f"{window.span.start / 1e6:8.3f} s  {len(window):7} events  {share:3.0f} % ON")
    report = running.report
    print(f"{report.delivered} windows, {report.events} events")
    for name, count in report.anomalies.items():
        print(f"{name}: {count}")


if __name__ == "__main__":
    aevents.run(main)
