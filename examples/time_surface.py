"""Write the time surface of a recording as pictures, ten a second.

python time_surface.py street.raw surface_{:04d}.png
"""

from __future__ import annotations

import sys

import aevents
from aevents import TimeSurface, ms


async def main() -> None:
    """Print how many pictures there are."""
    windows = aevents.open(sys.argv[1]).window(duration_us=100 * ms)
    surfaces = windows.through(lambda: TimeSurface("exponential", tau_us=30 * ms))
    report = await surfaces.to(aevents.create(sys.argv[2]))
    print(f"{report.delivered} pictures")


if __name__ == "__main__":
    aevents.run(main)
