"""Find upright and level edges with a small spiking network, and write them as pictures.

python spiking_edges.py street.raw edges_{:04d}.png

Each pixel has two neurons, for what is upright (orange) and what is level (blue). A neuron adds up
the events along its line and takes off those beside it, forgets with time, and above a threshold
fires and begins anew.
"""

from __future__ import annotations

import sys

import torch
from torch.nn.functional import conv2d

import aevents
from aevents import Frame, ms

UPRIGHT = torch.tensor([[-1.0, -1, 1, 2, 1, -1, -1]] * 7)
FILTERS = torch.stack((UPRIGHT.T, UPRIGHT))[:, None]


class SpikingEdges:
    """Leaky integrate-and-fire neurons behind a filter for lines, from frames to spikes."""

    def __init__(self, *, leak: float = 0.5, threshold: float = 10) -> None:
        self._leak = leak
        self._threshold = threshold
        self._potential = torch.zeros(())
        self.counts = {"level": 0, "upright": 0}

    def feed(self, frame: Frame, /) -> tuple[Frame]:
        """Take the events of one step of time, give the spikes, (2, height, width)."""
        current = conv2d(frame.torch()[None, None], FILTERS, padding=3)[0]
        potential = (self._leak * self._potential + current).clamp(min=0)
        spikes = potential >= self._threshold
        self._potential = potential.masked_fill(spikes, 0)
        for name, plane in zip(self.counts, spikes, strict=True):
            self.counts[name] += int(plane.sum())
        return (Frame(spikes.float().numpy(), frame.span, frame.sensor, "edges"),)

    def flush(self) -> tuple[()]:
        """Give nothing: nothing is held back."""
        return ()


async def main() -> None:
    """Print how many spikes there were."""
    frames = aevents.open(sys.argv[1]).window(duration_us=2 * ms).frames()
    report = await frames.through(SpikingEdges).to(sys.argv[2])
    spikes = f"{report.get('upright', 0)} upright, {report.get('level', 0)} level"
    print(f"{report.delivered} pictures, spikes: {spikes}")


if __name__ == "__main__":
    aevents.run(main)
