"""Two models on one stream: results as JSON lines, what they say drawn on the frames.

python watch_models.py street.raw results.jsonl seen.npy

Add `realtime=True` to have the recording played as it happened.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import anyio
import numpy as np

import aevents
from aevents import BLOCK, Frame, History, Model, Result, ms


def activity(frame: Frame) -> float:
    """Return how many events there are in the frame."""
    return float(np.abs(frame.array).sum())


class Motion:
    """How much the picture changes from frame to frame."""

    def init(self) -> None:
        """Begin, as a net would load its weights."""
        self.scale = 1.0

    def run(self, frames: tuple[Frame, ...]) -> float:
        """Compare the oldest with the newest."""
        return self.scale * float(np.abs(frames[-1].array - frames[0].array).sum())


def draw(frame: Frame, results: Mapping[str, Result[object]]) -> None:
    """Draw a bar at the top: as long as there is activity."""
    share = float(str(results["activity"].value)) / frame.array.size
    frame.array[:4, : round(share * frame.array.shape[-1])] = 1


async def main(source: str, lines: str, pictures: str) -> None:
    """Run both models over the recording."""
    frames = aevents.open(source).window(duration_us=100 * ms).frames()
    motion = Model(Motion(), history=History(count=2, step=3), every_us=200 * ms)
    async with (
        aevents.infer(frames, {"activity": activity, "motion": motion}, with_frames=True) as items,
        aevents.tee(items, BLOCK, BLOCK) as (one, other),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(one.through(aevents.annotate(draw)).to, pictures)
        report = await other.filter(lambda item: isinstance(item, Result)).to(lines)
    print(f"{report.delivered} results")


if __name__ == "__main__":
    aevents.run(lambda: main(*sys.argv[1:4]))
