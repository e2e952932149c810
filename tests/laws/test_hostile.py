"""Files made to harm: whatever they promise, no memory is taken for it."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

MOST_MB = 64
BOMB = 300 << 20

READ = """
import pathlib, re, sys, aevents

def most_used() -> int:  # ru_maxrss would tell of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

aevents.load(sys.argv[1])  # what is imported on first use
stream = aevents.open(sys.argv[2])
if sys.argv[3] == "frames":
    stream = stream.window(count=100).frames("polarity")
before = most_used()
try:
    for item in stream.blocking(): pass
except (aevents.AeventsError, ValueError) as error:
    print(type(error).__name__, error, file=sys.stderr)
print((most_used() - before) // 1024)
"""


def array(header: str, values: bytes = bytes(64)) -> bytes:
    """Return a .npy file whose header says this."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values


def described(shape: str, *, fortran: bool = False) -> str:
    descr = "[('t', '<i8'), ('x', '<u2'), ('y', '<u2'), ('p', 'u1')]" if not fortran else "'<f8'"
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': ({shape}), }}"


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def deflated_zeros(name: str, head: bytes) -> bytes:
    """Return a zip of 300 kB that unpacks to 300 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as one:
        one.write(head)
        for _ in range(BOMB >> 20):
            one.write(bytes(1 << 20))
    return out.getvalue()


RAW = b"%% evt 3.0\n%% format %s;height=65535;width=65535\n%% geometry 65535x65535\n%% end\n"
FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "EVT3 of a huge sensor": (
        "a.raw",
        lambda: RAW % b"EVT3" + struct.pack("<3H", 0x8001, 5, 0x2007) * 500,
    ),
    "EVT2 of a huge sensor": (
        "a.raw",
        lambda: RAW % b"EVT2" + struct.pack("<2I", 8 << 28 | 1, 5) * 500,
    ),
    "DAT of a huge sensor": (
        "a.dat",
        lambda: (
            b"% Data file\n% Version 2\n% Width 65535\n% Height 65535\n\x00\x08" + bytes(8 * 500)
        ),
    ),
    "ES of a huge sensor": (
        "a.es",
        lambda: b"Event Stream\x02\0\0\x01" + b"\xff" * 4 + bytes(5 * 500),
    ),
    "a header without end": ("a.raw", lambda: b"% " + b"x" * 200_000_000),
    "a line without end": ("a.csv", lambda: b"1,2,3,1\n" + b"1" * 200_000_000),
    "a comment without end": ("a.csv", lambda: b"#" * 200_000_000),
    "2^63 events": ("a.npy", lambda: array(described("9223372036854775807,"))),
    "2^80 events": ("a.npy", lambda: array(described(f"{1 << 80},"))),
    "2^60 rows in Fortran order": (
        "a.npy",
        lambda: array(described(f"{1 << 60}, 4", fortran=True)),
    ),
    "2^63 events in a zip": (
        "a.npz",
        lambda: zipped({"events.npy": array(described("9223372036854775807,"))}),
    ),
    "300 MB of events in a zip": (
        "a.npz",
        lambda: deflated_zeros("events.npy", array(described(f"{BOMB // 13},"), b"")),
    ),
    "300 MB after the events in a zip": (
        "a.npz",
        lambda: deflated_zeros("events.npy", array(described("2,"), b"")),
    ),
    "300 MB of a header in a zip": (
        "a.npz",
        lambda: deflated_zeros("events.npy", b"\x93NUMPY\x02\0\xff\xff\xff\xff"),
    ),
    "something else": ("a.raw", lambda: gzip.compress(bytes(1 << 20)) * 1024),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("case", "what"),
    [
        *((case, "events") for case in FILES),
        *((case, "frames") for case in FILES if "sensor" in case),
    ],
)
def test_a_hostile_file_takes_no_memory(case: str, what: str, tmp_path: Path) -> None:
    name, make = FILES[case]
    path, harmless = tmp_path / name, tmp_path / "harmless.npz"
    path.write_bytes(make())
    np.savez(harmless, t=[1], x=[2], y=[3], p=[1])
    command = [sys.executable, "-c", READ, str(harmless), str(path), what]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MB, done.stderr
