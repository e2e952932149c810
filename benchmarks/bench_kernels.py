"""How fast are the kernels that decode? As ratios to copying the file's bytes, and to naive C.

The words of a file, in pieces of 64 KiB, into columns that are used again: EVT2, EVT3 and DAT, by
our kernels at each instruction set that the CPU has, by the decoders of naive_decode.c, and by
memcpy into one buffer. Thread CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import aevents
from aevents._native import LEVELS, compiled
from aevents._native._kernels import ffi, lib
from benchmarks.inputs import Words, words, write
from benchmarks.measure import Answer, Gate, Options, Table, build_naive, levels, race, ratio

PIECE = 64 * 1024
SIZES = {"evt3": 2, "evt2": 4, "dat": 8}
PROTOTYPES = """
    typedef struct {
        int64_t *t; uint16_t *x, *y; uint8_t *p;
        int64_t loop, high, low; uint16_t row, base_x; uint8_t base_p;
    } naive;
    size_t naive_evt2(const uint32_t *words, size_t count, naive *s);
    size_t naive_evt3(const uint16_t *words, size_t count, naive *s);
    size_t naive_dat(const uint64_t *records, size_t count, naive *s);
    size_t copy(const void *data, size_t size, void *buffer);
"""
Contestant = Callable[[], int]


def run(options: Options) -> Answer:
    """Measure each format."""
    module = build_naive("naive_decode", PROTOTYPES)
    tables, best = [], {}
    for format in SIZES:
        source = dat_words(options) if format == "dat" else words(format, options)
        events, best[format] = compare(format, source.body, module, options.rounds(25))
        title = f"{format}: {source.name}, {events} events"
        tables.append(as_table(title, events, len(source.body), best[format]))
    return Answer(tables, gates(best["evt3"], best["evt2"]))


def dat_words(options: Options) -> Words:
    """Return the events of the EVT2 recording as DAT: its records are the same whoever writes."""
    source = words("evt2", options)
    path = options.folder / "as.raw"
    path.write_bytes(source.header + source.body)
    as_dat = write(options.folder / "as.dat", "dat", aevents.load(path)).read_bytes()
    start = as_dat.index(b"% end\n") + 8
    return Words(f"{source.name} as DAT", as_dat[:start], as_dat[start:])


def compare(
    format: str, data: bytes, module: SimpleNamespace, rounds: int
) -> tuple[int, dict[str, float]]:
    """Return the number of events, and the best time of memcpy, naive C and each of ours."""
    contestants = {"memcpy": copying(data, module), "naive C": naive(format, data, module)}
    contestants |= {isa: ours(format, data, level) for isa, level in levels().items()}
    counts = {run() for name, run in contestants.items() if name != "memcpy"}
    assert len(counts) == 1, counts
    best = race(contestants, rounds)
    lib.ae_select(LEVELS["v4"])
    return counts.pop(), best


def as_table(title: str, events: int, size: int, best: dict[str, float]) -> Table:
    """Return one line a decoder; the speed of memcpy says much about the machine."""
    columns = ("decoder", "x memcpy's time", "x naive's speed", "Mev/s", "GB/s in")
    rows: list[tuple[str | float | None, ...]] = []
    for name, time in best.items():
        copies, speed = time / best["memcpy"], best["naive C"] / time
        rows.append((name, copies, speed, events / time / 1e6, size / time / 1e9))
    return Table(title, columns, rows)


def gates(evt3: dict[str, float], evt2: dict[str, float]) -> list[Gate]:
    """Return the limits; what the CPU does not have is not measured."""
    v4 = ratio(evt3.get("v4"), evt3["memcpy"])
    return [
        Gate("EVT3 at v4, times memcpy", v4, at_most=5),
        Gate("EVT3 at v4, times naive", ratio(evt3["naive C"], evt3.get("v4")), at_least=3.5),
        Gate("EVT3 at base, times naive", ratio(evt3["naive C"], evt3["base"]), at_least=1.5),
        Gate("EVT2 at v4, times memcpy", ratio(evt2.get("v4"), evt2["memcpy"]), at_most=1.3),
        Gate("EVT2 at v3, times memcpy", ratio(evt2.get("v3"), evt2["memcpy"]), at_most=1.8),
    ]


def ours(format: str, data: bytes, level: int) -> Contestant:
    """Return a function that decodes all of `data` by our kernel, and returns the event count."""
    out = compiled.columns(2 * PIECE)
    kernel, size = getattr(lib, f"ae_{format}_decode"), SIZES[format]
    source = ffi.from_buffer("uint8_t[]", data)

    def decode() -> int:
        lib.ae_select(level)
        state, events = getattr(compiled, f"{format}_state")(), 0
        for at in range(0, len(data), PIECE):
            words = min(PIECE, len(data) - at) // size
            while words:
                out.c.n = 0
                done = kernel(source + at, words, state, out.c)
                events, words, at = events + out.c.n, words - done, at + done * size
        return events

    return decode


def naive(format: str, data: bytes, module: SimpleNamespace) -> Contestant:
    """Return a function that decodes all of `data` naively, and returns the event count."""
    out = compiled.columns(8 * PIECE)
    kernel, size = getattr(module.lib, f"naive_{format}"), SIZES[format]
    source = module.ffi.from_buffer(f"uint{8 * size}_t[]", data)

    def decode() -> int:
        state, events = module.ffi.new("naive *"), 0
        state.t = module.ffi.from_buffer("int64_t[]", out.t)
        state.x = module.ffi.from_buffer("uint16_t[]", out.x)
        state.y = module.ffi.from_buffer("uint16_t[]", out.y)
        state.p = module.ffi.from_buffer("uint8_t[]", out.p)
        for at in range(0, len(source), PIECE // size):
            events += kernel(source + at, min(PIECE // size, len(source) - at), state)
        return events

    return decode


def copying(data: bytes, module: SimpleNamespace) -> Contestant:
    """Return a function that copies `data` piece by piece into one buffer."""
    buffer = module.ffi.new("char[]", PIECE)
    source = module.ffi.from_buffer("char[]", data)

    def copy() -> int:
        for at in range(0, len(data), PIECE):
            module.lib.copy(source + at, min(PIECE, len(data) - at), buffer)
        return 0

    return copy
