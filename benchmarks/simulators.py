"""Simulators of event cameras at work on pictures: run as a script by the Python that has them.

    python benchmarks/simulators.py NAME PICTURES.npy     one run for each line on stdin, and print
                                                          CPU time and how many events it made

`aevents` stands among them, so that all are timed by the same lines. One thread each.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

INTERVAL_US = 1000
THRESHOLD = 0.2
EPS = 1e-3
Pictures = np.ndarray[Any, np.dtype[np.uint8]]


def ours(pictures: Pictures, model: str, preset: str | None) -> int:
    """Return how many events our simulation makes."""
    from aevents import Events, Frame, Sensor, Span

    events = Events(model, preset=preset)  # type: ignore[arg-type]  # the names of below
    count = 0
    for k, picture in enumerate(pictures):
        span = Span(k * INTERVAL_US, (k + 1) * INTERVAL_US)
        count += sum(map(len, events.feed(Frame(picture, span, Sensor(), "intensity"))))
    return count


def v2e(pictures: Pictures, **options: float) -> int:
    """Return how many events v2e makes, on the CPU."""
    import torch
    from v2ecore.emulator import EventEmulator

    torch.set_num_threads(1)  # two were slower
    emulator = EventEmulator(device="cpu", seed=1, **options)
    count = 0
    for k, picture in enumerate(pictures):
        events = emulator.generate_events(picture, k * INTERVAL_US / 1e6)
        count += 0 if events is None else len(events)
    return count


def esim_in_numpy(pictures: Pictures) -> int:
    """Return how many events the equations of ESIM make, over whole pictures at once."""
    before = np.log(pictures[0] / 255 + EPS)
    reference, count = before.copy(), 0
    y, x = np.indices(before.shape)
    for k, picture in enumerate(pictures[1:]):
        logs = np.log(picture / 255 + EPS)
        sign = np.sign(logs - before)
        crossed = np.maximum(np.floor((logs - reference) * sign / THRESHOLD), 0).astype(np.int64)
        each = crossed.reshape(-1)
        pixel = np.repeat(np.arange(each.size), each)
        number = np.arange(len(pixel)) - np.repeat(np.cumsum(each) - each, each) + 1
        level = reference.reshape(-1)[pixel] + number * THRESHOLD * sign.reshape(-1)[pixel]
        start, stop = before.reshape(-1)[pixel], logs.reshape(-1)[pixel]
        t = k * INTERVAL_US + (level - start) / (stop - start) * INTERVAL_US
        order = np.argsort(t, kind="stable")
        for column in (t.astype(np.int64), x.reshape(-1)[pixel], y.reshape(-1)[pixel]):
            column[order]
        (sign.reshape(-1)[pixel] > 0)[order]
        count += len(order)
        reference += crossed * THRESHOLD * sign
        before = logs
    return count


COMMAND_LINE = {
    "cutoff_hz": 300,
    "leak_rate_hz": 0.01,
    "shot_noise_rate_hz": 0.001,
    "refractory_period_s": 0.0005,
}
"""The defaults of v2e's command line, where those of its class differ."""
NO_NOISE = {"sigma_thres": 0, "leak_rate_hz": 0}
SIMULATORS: dict[str, Callable[[Pictures], int]] = {
    "ours, v2e": lambda pictures: ours(pictures, "v2e", "default"),
    "v2e": lambda pictures: v2e(pictures, **COMMAND_LINE),
    "ours, ESIM": lambda pictures: ours(pictures, "esim", "ideal"),
    "ESIM in NumPy": esim_in_numpy,
    "v2e, ideal": lambda pictures: v2e(pictures, **NO_NOISE),
}


def main(name: str, path: str) -> None:
    """Run once for each line."""
    out, sys.stdout = sys.stdout, sys.stderr
    simulate, pictures = SIMULATORS[name], np.load(path)
    for _ in sys.stdin:
        cpu = time.process_time()
        count = simulate(pictures)
        print(json.dumps({"cpu": time.process_time() - cpu, "events": count}), file=out, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(*sys.argv[1:])
