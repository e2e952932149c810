"""An operator of one's own: pictures that fade, bright where events were a moment ago.

python own_operator.py street.raw faded.npy
"""

from __future__ import annotations

import sys

import numpy as np

import aevents
from aevents import EventBatch, Frame, ms


class Fading:
    """Give a frame a window: 1 where an event is just happening, fading with its age.

    It needs nothing but the last time of each pixel, so it remembers that and no events.
    """

    def __init__(self, fade_us: int) -> None:
        self._fade = fade_us
        self._last = np.full((0, 0), -np.inf)

    def feed(self, window: EventBatch, /) -> tuple[Frame]:
        """Take one window, give its frame."""
        if not self._last.size:
            self._last = np.full((window.sensor.height, window.sensor.width), -np.inf)
        self._last[window.y, window.x] = window.t  # of events in one pixel, the last stays
        age = window.span.stop - self._last
        picture = np.exp(-age / self._fade).astype(np.float32)
        return (Frame(picture, window.span, window.sensor, "fading"),)

    def flush(self) -> tuple[()]:
        """Give nothing: nothing is held back."""
        return ()


async def main() -> None:
    """Write the frames of a recording."""
    windows = aevents.open(sys.argv[1]).window(duration_us=10 * ms)
    report = await windows.through(lambda: Fading(50 * ms)).to(sys.argv[2])
    print(f"{report.delivered} frames")


if __name__ == "__main__":
    aevents.run(main)
