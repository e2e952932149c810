"""How fast do windows of events become frames on a torch device?

A real recording of 1280x720 in windows of several sizes, as frames of two polarities: counted by
`TorchFrames` on the device; counted by `Frames` and sent there as a dense frame; and counted there
by torch alone, which is sent x, y and p. On CUDA it is wall time until the device is done, else CPU
time of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from aevents import EventBatch, Frames, Span
from aevents.interop.torch import EVENT_BYTES, TorchFrames
from benchmarks.inputs import load, words
from benchmarks.measure import Answer, Gate, Options, Table, machine, race, ratio

WIDTH, HEIGHT, PLANES = 1280, 720, 2
CELLS = PLANES * HEIGHT * WIDTH
SIZES = (10_000, 100_000, 1_000_000)
"""Events in a window."""
SPAN = Span(0, 1)
DENSE = "Frames, dense upload"
Contestants = dict[str, Callable[[], torch.Tensor]]


def run(options: Options) -> Answer:
    """Measure all sizes on the device that there is."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(1)
    name = torch.cuda.get_device_name() if device.type == "cuda" else machine()["cpu"]
    events = load("evt3", 8 << 20, options)
    tables, gates = [], []
    for size in SIZES[:1] if options.smoke else SIZES:
        window = events.cut(0, min(size, len(events)), SPAN)
        found = measure(window, device, options.rounds(15))
        what = f"{len(window)} events a window, to {name}: {words('evt3', options).name}"
        tables.append(as_table(what, found, len(window)))
        for other in ("torch.bincount", "index_put_"):  # what it is for is a GPU
            faster = ratio(found[other], found["TorchFrames"]) if device.type == "cuda" else None
            gates.append(Gate(f"TorchFrames on CUDA, times {other}, {size}", faster, at_least=1))
    return Answer(tables, gates)


def measure(window: EventBatch, device: torch.device, rounds: int) -> dict[str, float]:
    """Return the best time of each, which have given the same frame."""
    contestants = counting(window, device)
    expected = contestants[DENSE]()
    for name, count in contestants.items():
        assert torch.equal(count().to(expected.dtype).view_as(expected), expected), name
    if device.type == "cpu":
        return race(contestants, rounds)
    done = {name: finished(count) for name, count in contestants.items()}
    return race(done, rounds, time.perf_counter)


def finished(count: Callable[[], torch.Tensor]) -> Callable[[], None]:
    """Return what waits for the device."""

    def wait() -> None:
        count()
        torch.cuda.synchronize()

    return wait


def counting(window: EventBatch, device: torch.device) -> Contestants:
    """Return what makes a frame of the window."""
    there, here = TorchFrames(device, "polarity"), Frames("polarity")
    one = torch.ones((), device=device)

    def sparse() -> torch.Tensor:
        there.add(window)
        return there.read(SPAN).torch()

    def dense() -> torch.Tensor:
        here.add(window)
        return here.read(SPAN).torch(device)

    def columns() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        _, x, y, p = window.torch()
        return x.to(device).long(), y.to(device).long(), p.to(device).long()

    def bincount() -> torch.Tensor:
        x, y, p = columns()
        return torch.bincount((p * HEIGHT + y) * WIDTH + x, minlength=CELLS).float()

    def index_put() -> torch.Tensor:
        x, y, p = columns()
        frame = torch.zeros(PLANES, HEIGHT, WIDTH, device=device)
        return frame.index_put_((p, y, x), one, accumulate=True)

    return {
        DENSE: dense,
        "TorchFrames": sparse,
        "torch.bincount": bincount,
        "index_put_": index_put,
    }


def as_table(title: str, best: dict[str, float], events: int) -> Table:
    """Return one line a contestant, with the bytes that go to the device."""
    rows: list[tuple[str | float | None, ...]] = [
        (
            name,
            best[DENSE] / time,
            events / time / 1e6,
            4 * CELLS / 1e6 if name == DENSE else EVENT_BYTES * events / 1e6,
        )
        for name, time in best.items()
    ]
    return Table(title, ("by", "x dense", "Mev/s", "MB a window"), rows)
