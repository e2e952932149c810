"""Play a video, or watch a camera, and keep what moves: in a video of its own.

python watch_film.py street.mp4 moving.mp4
python watch_film.py rtsp://192.168.0.10/stream moving.mp4
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

import aevents
from aevents import Frame

STILL = 2.0
"""A mean change of brightness, of 255, below which nothing moves."""


class Moving:
    """Keep the frames that differ from the one before."""

    def __init__(self) -> None:
        self._before: Frame | None = None

    def feed(self, frame: Frame, /) -> Iterator[Frame]:
        """Give the frame, or nothing."""
        before, self._before = self._before, frame
        if before is not None:
            change = np.abs(np.subtract(frame.array, before.array, dtype=np.int16)).mean()
            if change > STILL:
                yield frame

    def flush(self) -> tuple[()]:
        """Give nothing: no frame is held back."""
        return ()


async def main() -> None:
    """Print how much has moved, and what was lost on the way; stop with Ctrl-C."""
    film = aevents.video(sys.argv[1], size="320x240")
    playing = film if film.endless else film.paced(speed=10)
    report = await playing.through(Moving).to(aevents.create(sys.argv[2]))
    print(f"{report.delivered} frames moved, {report.get('gaps', 0)} gaps")


if __name__ == "__main__":
    aevents.run(main)
