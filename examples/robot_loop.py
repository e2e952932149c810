"""A robot's loop: every 20 ms, whatever comes, it looks at the newest picture and steers.

python robot_loop.py "udp://:3333?size=640x480" 100

The events are counted beside the loop; `read` takes what has been counted since the last time and
never waits. It says after so many steps how many events it saw, and which way it last turned.
"""

from __future__ import annotations

import sys

import anyio
import numpy as np

import aevents
from aevents import Frame

STEP_S = 0.02


def turn(frame: Frame) -> float:
    """Say how far to turn, from -1 (left) to 1 (right): to where the most is going on."""
    columns = frame.array.sum(axis=0)
    if not columns.any():
        return 0.0
    middle = float(np.average(np.arange(len(columns)), weights=columns))
    return 2 * middle / (len(columns) - 1) - 1


async def main() -> None:
    """Steer for so many steps."""
    source, steps = sys.argv[1], int(sys.argv[2])
    seen, way = 0, 0.0
    async with aevents.accumulate(aevents.open(source)) as counted:
        for _ in range(steps):
            frame = counted.read()
            seen, way = seen + int(frame.array.sum()), turn(frame)
            await anyio.sleep(STEP_S)
    print(f"{seen} events, last turned by {way:+.2f}")


if __name__ == "__main__":
    aevents.run(main)
