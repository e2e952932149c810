"""Runs the benchmarks.

python -m benchmarks                  all of them, some minutes
python -m benchmarks decode stream    these two
python -m benchmarks --smoke          each on tiny inputs, in seconds: does it still work?
python -m benchmarks decode --events 50000000 --formats evt3 dat
python -m benchmarks --json FILE      the figures as JSON too

Exit status 1 says that a figure is on the wrong side of its limit. Recordings are looked for in
`--recordings`, `$AEVENTS_RECORDINGS` or ../shared/recordings; without them, made-up events are
measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.inputs import FILES
from benchmarks.measure import Answer, Options, as_text, machine

NAMES = (
    "kernels", "frames", "filters", "stream", "loop", "decode", "encode", "seek", "junctions",
    "merge", "udp", "latency", "zmq", "representations", "tensors", "shapes", "chunks", "video",
    "stimuli", "simulate", "infer", "camera", "metavision", "service", "viewer",
    "viewer_page",
)  # fmt: skip
SMOKE_EVENTS = 50_000


def main() -> int:
    """Run what the command line names; return the exit status."""
    arguments = parse()
    found: dict[str, Any] = {"machine": machine(), "benchmarks": {}}
    print("\n".join(f"{name}: {value}" for name, value in found["machine"].items()))
    missed = False
    for name in arguments.names or NAMES:
        answer, question = run(name, arguments)
        print(f"\n=== {name}: {question}\n\n{as_text(answer)}", flush=True)
        found["benchmarks"][name] = as_data(answer, question)
        missed = missed or any(gate.missed for gate in answer.gates)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(missed and not arguments.smoke)


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    about = {"description": __doc__, "formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", **about)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--events", type=int, default=Options().events)
    parser.add_argument("--formats", nargs="+", default=(), choices=tuple(FILES), metavar="FORMAT")
    beside = os.environ.get("AEVENTS_RECORDINGS", Options().recordings)
    parser.add_argument("--recordings", type=Path, metavar="FOLDER", default=beside)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no benchmark is called {unknown.pop()}: there are {', '.join(NAMES)}")
    return arguments


def run(name: str, arguments: argparse.Namespace) -> tuple[Answer, str]:
    """Run one benchmark in a folder of its own; return what it found, and what it asks."""
    module = import_module(f"benchmarks.bench_{name}")
    with tempfile.TemporaryDirectory() as folder:
        events = SMOKE_EVENTS if arguments.smoke else arguments.events
        options = Options(
            arguments.smoke, arguments.recordings, Path(folder), events, tuple(arguments.formats)
        )
        return module.run(options), module.__doc__.partition("\n")[0]


def as_data(answer: Answer, question: str) -> dict[str, Any]:
    """Return what JSON can hold."""
    tables = [
        {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}
        for title, columns, rows in answer.tables
    ]
    gates = [gate._asdict() | {"missed": gate.missed} for gate in answer.gates]
    return {"question": question, "tables": tables, "gates": gates}


if __name__ == "__main__":
    sys.exit(main())
