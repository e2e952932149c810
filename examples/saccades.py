"""Show digits as a moving eye sees them, as pictures: one of each saccade's steps.

python saccades.py mnist-folder digit_{:03d}.png

Without a folder that has MNIST in it, `await aevents.mnist.download("mnist-folder")` fills one.
"""

from __future__ import annotations

import sys

import anyio.to_thread
import numpy as np
from msgspec.structs import replace

import aevents
from aevents import Frame, mnist, ms


def with_8_bits(frame: Frame) -> Frame:
    """Return the frame with as many levels of brightness as a picture has."""
    return replace(frame, array=np.rint(frame.array).astype(np.uint8))


async def main() -> None:
    """Write three digits, 12 pictures each, and say which digits they are."""
    digits = await anyio.to_thread.run_sync(mnist.load, sys.argv[1])
    saccades = mnist.saccades(digits, rep=12, rate_hz=40, duration_us=900 * ms)
    print("labels:", *{frame.index: frame.label for frame in await saccades.to_list()}.values())
    report = await saccades.map(with_8_bits).to(aevents.create(sys.argv[2]))
    print(f"{report.delivered} pictures")


if __name__ == "__main__":
    aevents.run(main)
