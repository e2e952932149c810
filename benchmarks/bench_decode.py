"""How fast are the decoders? As ratios to copying the file's bytes, and to a naive decoder in C.

    python benchmarks/bench_decode.py [--json] [--rounds 25] RECORDING.raw ...

Each file is decoded in pieces of 64 KiB into columns that are used again. All contenders take
turns, round by round, and the best thread CPU time of each counts: such ratios hold still on a
busy machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cffi import FFI

from aevents._native import LEVELS, compiled
from aevents._native._kernels import ffi, lib

PIECE = 64 * 1024
Contender = Callable[[], int]


def build_naive() -> SimpleNamespace:
    """Compile naive.c and return its `ffi` and `lib`."""
    naive = FFI()
    naive.cdef(
        """
        typedef struct {
            int64_t *t; uint16_t *x, *y; uint8_t *p;
            int64_t loop, high, low; uint16_t row, base_x; uint8_t base_p;
        } naive;
        size_t naive_evt2(const uint32_t *words, size_t count, naive *s);
        size_t naive_evt3(const uint16_t *words, size_t count, naive *s);
        size_t copy(const void *data, size_t size, void *buffer);
        """
    )
    source = Path(__file__).with_name("naive.c").read_text()
    naive.set_source("_naive", source, extra_compile_args=["-O3"])
    with tempfile.TemporaryDirectory() as folder:
        naive.compile(folder)
        return _load("_naive", folder)


def _load(name: str, folder: str) -> SimpleNamespace:
    (path,) = Path(folder).glob(f"{name}*.so")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return SimpleNamespace(ffi=module.ffi, lib=module.lib)


def read(path: Path) -> tuple[str, bytes]:
    """Return the format (`evt2`, `evt3`) and the words of a RAW file."""
    data, at, kind = path.read_bytes(), 0, ""
    while data[at : at + 2] == b"% ":
        line, at = data[at : data.index(b"\n", at)], data.index(b"\n", at) + 1
        if line.startswith(b"% evt "):
            kind = "evt" + line.split()[-1].decode()[0]
        if line == b"% end":
            break
    return kind, data[at:]


def ours(kind: str, data: bytes, level: int) -> Contender:
    """Return a function that decodes all of `data` by our kernel, and returns the event count."""
    out = compiled.columns(2 * PIECE)
    kernel = getattr(lib, f"ae_{kind}_decode")
    size = int(kind[-1] == "2") * 2 + 2
    source = ffi.from_buffer("uint8_t[]", data)

    def run() -> int:
        lib.ae_select(level)
        state, events = ffi.new(f"ae_{kind} *"), 0
        for at in range(0, len(data), PIECE):
            words = min(PIECE, len(data) - at) // size
            while words:
                out.c.n = out.c.triggers = 0
                done = kernel(source + at, words, state, out.c)
                events, words, at = events + out.c.n, words - done, at + done * size
        return events

    return run


def naive(kind: str, data: bytes, module: SimpleNamespace) -> Contender:
    """Return a function that decodes all of `data` naively, and returns the event count."""
    out = compiled.columns(8 * PIECE)
    size = int(kind[-1] == "2") * 2 + 2
    kernel = getattr(module.lib, f"naive_{kind}")
    source = module.ffi.from_buffer(f"uint{8 * size}_t[]", data)

    def run() -> int:
        state, events = module.ffi.new("naive *"), 0
        state.t = module.ffi.from_buffer("int64_t[]", out.t)
        state.x = module.ffi.from_buffer("uint16_t[]", out.x)
        state.y = module.ffi.from_buffer("uint16_t[]", out.y)
        state.p = module.ffi.from_buffer("uint8_t[]", out.p)
        for at in range(0, len(source), PIECE // size):
            events += kernel(source + at, min(PIECE // size, len(source) - at), state)
        return events

    return run


def copying(data: bytes, module: SimpleNamespace) -> Contender:
    """Return a function that copies `data` piece by piece into one buffer."""
    buffer = module.ffi.new("char[]", PIECE)
    source = module.ffi.from_buffer("char[]", data)

    def run() -> int:
        for at in range(0, len(data), PIECE):
            module.lib.copy(source + at, min(PIECE, len(data) - at), buffer)
        return 0

    return run


def measure(contenders: dict[str, Contender], rounds: int) -> dict[str, float]:
    """Return the best thread CPU time of each, in seconds; they take turns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.thread_time_ns()
            run()
            best[name] = min(best[name], (time.thread_time_ns() - start) / 1e9)
    return best


def compare(path: Path, module: SimpleNamespace, rounds: int) -> dict[str, Any]:
    """Measure one file; times are given as multiples of copying it."""
    kind, data = read(path)
    levels = [isa for isa, level in LEVELS.items() if level <= lib.ae_cpu_level()]
    contenders = {"copy": copying(data, module), "naive": naive(kind, data, module)}
    contenders |= {isa: ours(kind, data, LEVELS[isa]) for isa in levels}
    events = {name: run() for name, run in contenders.items() if name != "copy"}
    assert len(set(events.values())) == 1, events
    best = measure(contenders, rounds)
    lib.ae_select(LEVELS["v4"])
    return {
        "file": path.name,
        "events": events["naive"],
        "copies": {name: round(best[name] / best["copy"], 2) for name in events},
        "times_naive": {isa: round(best["naive"] / best[isa], 2) for isa in levels},
        "mev_s": {name: round(events[name] / best[name] / 1e6) for name in events},
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    module = build_naive()
    results = [compare(path, module, arguments.rounds) for path in arguments.files]
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'file':34}{'kernel':>8}{'x copy':>8}{'x naive':>9}{'Mev/s':>7}")
    for result in results:
        for name, copies in result["copies"].items():
            gain = result["times_naive"].get(name, 1.0)
            speed = result["mev_s"][name]
            print(f"{result['file']:34}{name:>8}{copies:8.2f}{gain:9.2f}{speed:7}")


if __name__ == "__main__":
    main()
