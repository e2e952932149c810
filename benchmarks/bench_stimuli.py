"""How fast are frames computed? Noise and spikes of digits, against convis.

convis draws all that it is asked for at once, float64 by the legacy generator of NumPy: `rand(n,
50, 50) * level + mean`, which is done here, for 1000 frames at a time. Ours are float32, each an
item of a stream with a span and, of digits, a label. For spikes of digits convis 0.6.4, which asks
torch for each digit, took 1.48 times as long as for noise: 25.9 and 38.2 thousand frames a CPU
second, on another machine. So they are compared with 1.48 times that noise; what NumPy alone takes
to draw them, digit by digit, stands beside it. CPU time of the process, all threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import uvloop

from aevents import Frame, Sensor, Stream, mnist, stimuli
from benchmarks.measure import Answer, Gate, Options, Table, race

SENSOR = Sensor(50, 50)
ASKED_FOR, REP, CHANCE = 1000, 10, 0.05
NOISE, SPIKES = "noise, 50x50", "spikes of digits, 28x28"
WAYS = {"blocking": None, "async for, uvloop": uvloop.new_event_loop,
        "async for, asyncio": asyncio.new_event_loop}  # fmt: skip
CONVIS, NUMPY = "convis", "NumPy, all at once"
SPIKES_TO_NOISE = 38_221 / 25_884


def run(options: Options) -> Answer:
    """Measure both in one race."""
    frames = 2_000 if options.smoke else 20_000
    best = race(contestants(frames), options.rounds(9), clock=time.process_time)
    convis = {NOISE: best[NOISE, CONVIS], SPIKES: best[NOISE, CONVIS] * SPIKES_TO_NOISE}
    tables, gates = [], []
    for case, limit in convis.items():
        taken = {CONVIS: limit} | {way: time for (of, way), time in best.items() if of == case}
        rows: list[tuple[str | float | None, ...]] = [
            (way, limit / time, frames / time / 1000) for way, time in taken.items()
        ]
        columns = ("way", "x convis", "thousand frames a CPU second")
        tables.append(Table(f"{case}, {frames} frames", columns, rows))
        fastest = {way: limit / taken[way] for way in [*WAYS][:2]}
        gates += [Gate(f"{case}, {way}", value, at_least=1) for way, value in fastest.items()]
    return Answer(tables, gates)


def contestants(frames: int) -> dict[tuple[str, str], Callable[[], object]]:
    """Return every way to have so many frames, by what they show and by its name."""
    images = np.random.default_rng(0).integers(0, 256, (500, 28, 28)).astype(np.uint8)
    digits = mnist.Digits(images, np.zeros(500, np.uint8))
    streams: dict[str, Stream[Frame]] = {
        NOISE: stimuli.random(SENSOR, duration_us=1000 * frames),
        SPIKES: mnist.spikes(digits, rep=REP, duration_us=1000 * frames),
    }
    times = range(frames // ASKED_FOR)
    ways: dict[tuple[str, str], Callable[[], object]] = {
        (NOISE, CONVIS): lambda: [noise().size for _ in times],
        (SPIKES, NUMPY): lambda: [spikes(images).size for _ in times],
    }
    for case, stream in streams.items():
        for way, loop in WAYS.items():
            ways[case, way] = partial(read, stream, loop)
    return ways


def noise() -> npt.NDArray[np.float64]:
    """Draw noise as convis does."""
    return 255.0 * np.random.rand(ASKED_FOR, SENSOR.height, SENSOR.width) + 0.0


def spikes(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Draw spikes all at once."""
    parts = [
        np.random.rand(REP, 28, 28) <= CHANCE * (images[digit] / 255.0)
        for digit in range(ASKED_FOR // REP)
    ]
    return np.concatenate(parts)


def read(stream: Stream[Frame], loop: Callable[[], asyncio.AbstractEventLoop] | None) -> int:
    """Read the stream by `for`, or by `async for`; return the number of frames."""

    async def read() -> int:
        frames = 0
        async for _ in stream:
            frames += 1
        return frames

    if loop is None:
        return sum(1 for _ in stream.blocking())
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(read())
