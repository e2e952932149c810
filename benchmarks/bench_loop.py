"""Does the event loop stay free, memory flat, and the import light?

A 1 ms ticker on uvloop while a large file is decoded flat out, and while nothing is: the median of
how late it comes. How much a process grows that reads 1 GB. How long `import aevents` takes beside
`import numpy`. Each in fresh processes, which take turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.inputs import repeated
from benchmarks.measure import ROOT, Answer, Gate, Options, Table

LARGE = 1_000_000_000
MODULES = ("torch", "av", "zmq", "usb")

TICK = """
import asyncio, json, sys, time, uvloop, aevents

async def tick(late, stop):
    while time.perf_counter() < stop:
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - due)

async def read(stop):
    while time.perf_counter() < stop:
        async for batch in aevents.open(sys.argv[1]):
            if time.perf_counter() > stop:
                return

async def main(seconds):
    idle, busy = [], []
    for late in (idle, busy) * 3:
        stop = time.perf_counter() + seconds
        reading = [read(stop)] if late is busy else []
        await asyncio.gather(tick(late, stop), *reading)
    print(json.dumps({"idle": idle, "busy": busy}))

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(float(sys.argv[2])))
"""

GROW = """
import asyncio, json, pathlib, re, sys, aevents

def most_used():  # ru_maxrss would tell of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

async def read():
    async for batch in stream: pass

stream = aevents.open(sys.argv[1])
before = most_used()
if sys.argv[2] == "async for": asyncio.run(read())
else: [None for batch in stream.blocking()]
print(json.dumps((most_used() - before) / 1024))
"""

IMPORT = """
import json, sys, time
cpu, wall = time.process_time(), time.perf_counter()
__import__(sys.argv[1])
spent = time.process_time() - cpu, time.perf_counter() - wall
print(json.dumps([*spent, [name for name in sys.argv[2:] if name in sys.modules]]))
"""


def run(options: Options) -> Answer:
    """Measure all three."""
    parts = [lateness(options), growth(options), imports(options)]
    tables = [table for part in parts for table in part.tables]
    return Answer(tables, [gate for part in parts for gate in part.gates])


def lateness(options: Options) -> Answer:
    """Measure how late a ticker comes, idle and while a file is decoded."""
    path = repeated("evt3", 1_000_000 if options.smoke else 200_000_000, options)
    late = ask(TICK, str(path), "0.1" if options.smoke else "1")
    path.unlink()
    rows: list[tuple[str | float | None, ...]] = []
    median = {}
    for name, seconds in late.items():
        median[name] = 1000 * statistics.median(seconds)
        rows.append((name, len(seconds), median[name], 1000 * max(seconds)))
    table = Table("a 1 ms ticker", ("loop", "ticks", "median late, ms", "most late, ms"), rows)
    more = median["busy"] - median["idle"]
    return Answer([table], [Gate("median lag, busy - idle, ms", more, at_most=0.5)])


def growth(options: Options) -> Answer:
    """Measure how much memory reading takes."""
    path = repeated("evt3", 20_000_000 if options.smoke else LARGE, options)
    grown = {way: ask(GROW, str(path), way) for way in ("async for", "blocking")}
    title = f"growth of a process that reads {path.stat().st_size / 1e6:.0f} MB"
    path.unlink()
    table = Table(title, ("way", "MiB"), [*grown.items()])
    return Answer([table], [Gate(f"growth, {way}, MiB", m, at_most=64) for way, m in grown.items()])


def imports(options: Options) -> Answer:
    """Measure the time that importing takes, and see what it loads."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(options.rounds(7)):
        for name in ("numpy", "aevents"):
            cpu, wall, loaded = ask(IMPORT, name, *MODULES)
            assert not loaded, f"import {name} loads {loaded}"
            least = best.get(name, (cpu, wall))
            best[name] = min(least[0], cpu), min(least[1], wall)
    rows: list[tuple[str | float | None, ...]] = [(name, *times) for name, times in best.items()]
    table = Table("import", ("module", "CPU s", "wall s"), rows)
    more = best["aevents"][1] - best["numpy"][1]
    return Answer([table], [Gate("import aevents - import numpy, wall s", more, at_most=0.15)])


def ask(script: str, *arguments: str) -> object:
    """Run a script in a fresh Python; return what it prints."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=Path(__file__).parent,
    )
    return json.loads(done.stdout)
