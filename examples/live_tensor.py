"""Receive events over UDP as tensors, a hundred a second, and follow where most of them are.

python live_tensor.py 3333 50

It sends itself a moving bar to that port, and ends after so many tensors.
"""

from __future__ import annotations

import sys

import anyio
import torch

import aevents
from aevents import ms, s, synthetic

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


async def send(port: int) -> None:
    """Send a bar that crosses in half a second, as a camera would, again and again."""
    bar = synthetic.moving_bar(rate=2e5, duration_us=10 * s, period_us=500 * ms)
    await bar.paced(repeat=True).to(f"udp://127.0.0.1:{port}?timestamps=yes")


async def main() -> None:
    """Print where the bar is."""
    port, count = map(int, sys.argv[1:])
    address = f"udp://127.0.0.1:{port}?size=640x480"
    frames = aevents.open(address).window(duration_us=10 * ms).frames().take(count)
    async with anyio.create_task_group() as tasks, frames.open() as received:
        tasks.start_soon(send, port)
        async for frame in received:
            columns = frame.torch(DEVICE).sum(dim=0)
            print(f"{int(columns.sum())} events, most in column {int(columns.argmax())}")
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    aevents.run(main)
