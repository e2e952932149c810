"""See a ball fly as an event camera would, and write what it saw as pictures, 20 a second.

python pictures_to_events.py seen_{:02d}.png
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

import aevents
from aevents import Frame, Origin, Sensor, Span, Stream, ms

SENSOR = Sensor(160, 120)
STEP_US = 2 * ms


def ball() -> Iterator[Frame]:
    """Yield half a second of a bright ball that flies over ground with a texture."""
    y, x = np.mgrid[0 : SENSOR.height, 0 : SENSOR.width]
    ground = np.random.default_rng(0).integers(60, 100, x.shape)
    for t in range(0, 500 * ms, STEP_US):
        away = np.hypot(x - 20 - t / 4_000, y - 90 + t / 8_000)
        light = np.where(away < 15, 220, ground).astype(np.uint8)
        yield Frame(light, Span(t, t + STEP_US), SENSOR, "intensity")


async def main() -> None:
    """Print how many events there were, and how many pictures."""
    video = Stream(Origin("ball", blocking=ball))
    events = video.events("v2e", preset="noisy", seed=1)
    seen = await events.collect()
    print(f"{len(seen)} events, {seen.p.mean():.0%} ON")
    windows = events.window(duration_us=50 * ms, origin_us=0, partial=False)
    report = await windows.frames("signed").to(aevents.create(sys.argv[1]))
    print(f"{report.delivered} pictures")


if __name__ == "__main__":
    aevents.run(main)
