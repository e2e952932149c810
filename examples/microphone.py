"""One stream like a microphone's, and three consumers of unequal size: levels, pitches and clips.

python microphone.py 4

Clips of one second, every other of them, go to processes.
"""

import sys
from collections.abc import AsyncIterable, Iterator

import anyio
import numpy as np
from numpy.typing import NDArray

import aevents
from aevents import Chunk, s

RATE_HZ = 48_000
Samples = NDArray[np.float32]


def blocks(seconds: int) -> Iterator[Samples]:
    """Give blocks as a sound card does, of a tone that climbs each second, and grows louder."""
    t = np.arange(seconds * RATE_HZ) / RATE_HZ
    sound = 0.1 * (1 + t) * np.sin(2 * np.pi * np.cumsum(440 * 1.5 ** (t % 1)) / RATE_HZ)
    yield from np.split(sound.astype(np.float32), range(1_000, len(sound), 1_000))


def level(chunk: Chunk[Samples]) -> str:
    """Tell how loud it is."""
    return f"{chunk.span.start / s:.1f} s: {10 * np.log10(np.mean(chunk.data**2)):.1f} dB"


def pitch(chunk: Chunk[Samples]) -> str:
    """Tell how high it is."""
    highest = np.argmax(np.abs(np.fft.rfft(chunk.data)))
    return f"{chunk.span.start / s:.1f} s: {highest * RATE_HZ / len(chunk):.0f} Hz"


async def show(lines: AsyncIterable[str]) -> None:
    """Print what comes."""
    async for line in lines:
        print(line)


async def main() -> None:
    """Listen for as many seconds as the command line says."""
    microphone = aevents.from_chunks(blocks(int(sys.argv[1])), rate_hz=RATE_HZ)
    async with aevents.tee(microphone, *[aevents.BLOCK] * 3) as (one, two, three):
        pitches = two.rechunk(8_192, exact=True, tail="drop").map(pitch)
        clips = three.rechunk(48_000, exact=True, tail="drop").sampled(coverage=0.5)
        work = aevents.workers(clips, pitch, count=2, where="process")
        async with work as of_clips, anyio.create_task_group() as tasks:
            for lines in (one.rechunk(24_000).map(level), pitches, of_clips):
                tasks.start_soon(show, lines)


if __name__ == "__main__":
    aevents.run(main)
