"""A hostile file takes no memory: what it promises is refused before it is made room for."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from aevents.codecs.aedat4_write import Aedat4Encoder, Compression
from aevents.codecs.compression import lz4_packer
from aevents.testing import encode
from tests.recordings import CAER

MOST_MB = 64

READ = """
import pathlib, re, sys, aevents

def most_used() -> int:
    return int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

stream = aevents.open(sys.argv[1])
list(aevents.open(sys.argv[2]).blocking())  # everything is imported
before = most_used()
try:
    for batch in stream.blocking(): pass
except aevents.DecodeError as error:
    print(error, file=sys.stderr)
print((most_used() - before) // 1024)
"""


def header(compression: Compression) -> bytes:
    """Return a file of no packets."""
    data = bytearray(encode(Aedat4Encoder(compression=compression), []))
    data[54:62] = struct.pack("<q", -1)
    return bytes(data[: 18 + int.from_bytes(data[14:18], "little")])


def packet(data: bytes) -> bytes:
    return struct.pack("<ii", 0, len(data)) + data


def zstd_bomb() -> bytes:
    """Return a frame of 1 GiB in 32 KiB, which does not tell its size."""
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    parts = [packer.compress(bytes(1 << 24)) for _ in range(64)]
    return b"".join(parts) + packer.flush()


def frame_of(width: int, height: int) -> bytes:
    """Return a buffer with a frame of this size, and hardly a pixel."""
    vtable = struct.pack("<15H", 30, 24, *[0] * 5, 4, 6, 8, 0, 0, 12, 0, 0)
    table = struct.pack("<ibxhhxxIIxxxx", len(vtable), 0, width, height, 4, 4)
    body = struct.pack("<I4s", 8 + len(vtable), b"FRME") + vtable + table
    return struct.pack("<I", len(body)) + body


HOSTILE: dict[str, Callable[[], bytes]] = {
    "lz4 of 1 GiB": lambda: header("lz4") + packet(lz4_packer()(bytes(1 << 30))),
    "zstd of 1 GiB": lambda: header("zstd") + packet(zstd_bomb()),
    "zstd that tells its size": lambda: (
        header("zstd") + packet(zstandard.ZstdCompressor().compress(bytes(1 << 30)))
    ),
    "zstd of 2^63 bytes": lambda: (
        header("zstd") + packet(b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 63) + bytes(100))
    ),
    "packets that promise 16 MiB": lambda: (
        header("lz4")
        + (struct.pack("<ii", 0, 16 << 20) + b"\x04\x22\x4d\x18" + bytes(1 << 20)) * 60
    ),
    "a header of 2 GiB": lambda: b"#!AER-DAT4.0\r\n" + struct.pack("<I", 1 << 31) + bytes(99),
    "a vector of 2^32 events": lambda: (
        header("none")
        + packet(
            struct.pack("<IIs3s2x3HiII", 40, 16, b"E", b"VTS", 6, 8, 4, 6, 4, (1 << 32) - 1)
            + bytes(12)
        )
    ),
    "a frame of 65535²": lambda: header("none") + packet(frame_of(-1, -1)),
    "a frame of 32767²": lambda: header("none") + packet(frame_of(32_767, 32_767)),
    "aedat 3.1 of 2^31 events": lambda: (
        CAER + struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *[0x7FFF_FFFF] * 3) + bytes(1 << 20)
    ),
    "aedat 3.1 of 16 MiB, again and again": lambda: (
        CAER + (struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, *[2 << 20] * 3) + bytes(1 << 20)) * 60
    ),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc only")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_takes_no_memory(name: str, tmp_path: Path) -> None:
    path, idle = tmp_path / "hostile", tmp_path / "idle.aedat4"
    path.write_bytes(HOSTILE[name]())
    idle.write_bytes(header("zstd"))
    command = [sys.executable, "-c", READ, str(path), str(idle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= MOST_MB, done.stderr
