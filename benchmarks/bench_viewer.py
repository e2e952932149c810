"""What does the viewer cost the program that shows, and does a slow browser cost it anything?

Pieces of a sixtieth of a second at 1280x720 are packed: millions of events a CPU second, and bytes.
Ways of packing planes are compared. Then a process shows a stream to five pages, of which one never
reads, and records it: CPU time a second, how late its event loop is, how much it grows, and whether
the recording has every event. The pages are another process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from functools import partial

import numpy as np

import aevents
from aevents.types import EventBatch, Span
from aevents.viewer.packing import FAR_EVENTS, NEAR_EVENTS, Packer, deflated
from benchmarks.measure import ROOT, Answer, Gate, Options, Table, race

RATES = (1e6, 3e6, 10e6, 30e6)
SCENES = ("bar", "poisson")
PIECE_US = 16_667
WIDTH, HEIGHT = 1280, 720

PAGES = """
import asyncio, json, struct, sys
from websockets.asyncio.client import connect

async def page(url, reads):
    async with connect(url, max_size=None, proxy=None) as socket:
        await socket.send(json.dumps({"type": "credit", "show": 0, "count": 2}))
        if not reads:
            await asyncio.sleep(0.5)
            socket.transport.pause_reading()
            await asyncio.sleep(1e6)
        async for got in socket:
            if isinstance(got, bytes):
                seq = struct.unpack_from("<I", got, 8)[0]
                await socket.send(json.dumps({"type": "credit", "show": 0, "seq": seq}))

async def main(url):
    await asyncio.gather(*(page(url, n < 4) for n in range(5)), return_exceptions=True)

asyncio.run(main(sys.argv[1]))
"""

SHOW = """
import asyncio, json, pathlib, re, subprocess, sys, time
import anyio, numpy as np, aevents
from aevents._contracts import Origin
from aevents.stream import stream_of
from aevents.types import EventBatch, Span
from aevents.viewer.live import LiveShow
from aevents.viewer.recorder import Recorder
from aevents.viewer.serve import Served
from aevents.viewer.server import Place

rate, seconds, warm = map(float, sys.argv[1:4])
folder, pages = sys.argv[4:]
PART_US = 4_000
scene = aevents.open(f"synthetic:bar?rate={rate}&duration_us=400000&size=1280x720")
parts = list(scene.window(duration_us=PART_US).blocking())
sent = 0

class Camera:
    counts = {}
    def __init__(self): self.number, self.began = 0, asyncio.get_running_loop().time()
    async def __anext__(self):
        global sent
        await anyio.sleep_until(self.began + self.number * PART_US / 1e6)
        part, start = parts[self.number % len(parts)], self.number * PART_US
        t = part.t - part.span.start + start
        self.number += 1
        sent += len(part)
        return EventBatch(t, part.x, part.y, part.p, part.sensor, Span(start, start + PART_US))
    def close(self): pass
    async def aclose(self): pass

class Counting:
    def __init__(self): self.events = 0
    async def write(self, batch): self.events += len(batch)
    async def aclose(self): pass

def rss():
    return int(re.search(r"VmRSS:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

async def tick(late):  # into memory that is there before growth is measured
    for index in range(len(late)):
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        late[index] = time.perf_counter() - due

async def main():
    kept = Counting()
    origin = Origin("bench", waiting=Camera, live=True)
    recorder = Recorder(pathlib.Path(folder), lambda name: kept)
    show = LiveShow(0, "bench", "bench:", lambda: stream_of(origin), recorder)
    late = np.full(int(1_100 * seconds), np.nan)
    server = Served(Place(port=0))
    async with server.running([show]) as url:
        crowd = subprocess.Popen([sys.executable, "-c", pages, url.replace("http", "ws") + "/ws"])
        try:
            while len(server.viewer.pages) < 5: await asyncio.sleep(0.05)
            await asyncio.sleep(warm)
            await show.record(on=True)
            before, cpu, began, first = rss(), time.process_time(), time.perf_counter(), sent
            ticker = asyncio.create_task(tick(late))
            await asyncio.sleep(seconds)
            ticker.cancel()
            used, passed = time.process_time() - cpu, time.perf_counter() - began
            last, grown = sent, rss() - before
            await show.record(on=False)
            while show.recording: await asyncio.sleep(0.01)
            slots = [page.slots[0] for page in server.viewer.pages]
        finally:
            crowd.kill(); crowd.wait()
    told = np.sort(late[late == late]).tolist()
    print(json.dumps({"cpu": used / passed, "late": told, "grown": grown / 1024,
        "missed": last - first - kept.events, "rate": (last - first) / passed,
        "pieces": show.packer.seq, "skipped": [slot.skipped for slot in slots],
        "drops": show.drops()}))

aevents.run(main)
"""


def run(options: Options) -> Answer:
    """Measure packing and serving."""
    tables = [packing(options), planes(options)]
    served, gates = serving(options)
    return Answer([*tables, served], gates)


def piece(scene: str, rate: float) -> EventBatch:
    """Return the events of one piece."""
    url = f"synthetic:{scene}?rate={rate}&duration_us={PIECE_US}&size={WIDTH}x{HEIGHT}"
    return aevents.load(url)


def packing(options: Options) -> Table:
    """Measure the packing of pieces, sparse as far as this machine has them and dense."""
    rows: list[tuple[str | float | None, ...]] = []
    for scene in SCENES:
        for rate in RATES:
            batch, found = piece(scene, rate), {}
            for most in (NEAR_EVENTS, FAR_EVENTS):
                packer = Packer(0)
                packer.most_sparse = most
                pack = partial(packer.events, [batch], Span(0, PIECE_US))
                seconds = race({"pack": pack}, options.rounds(20))["pack"]
                found[most] = (len(batch) / seconds / 1e6, len(pack().data) / 1e3)
            near, far = found[NEAR_EVENTS], found[FAR_EVENTS]
            rows.append((scene, rate / 1e6, *near, *far))
    columns = ("scene", "Mev/s", "near: Mev/CPU s", "kB a piece", "far: Mev/CPU s", "kB a piece")
    return Table("packing pieces of 1/60 s", columns, rows)


def planes(options: Options) -> Table:
    """Compare ways to make planes small."""
    rows: list[tuple[str | float | None, ...]] = []
    for scene in SCENES:
        batch = piece(scene, 10e6)
        index = batch.y.astype(np.int64) * WIDTH + batch.x + batch.p * (WIDTH * HEIGHT)
        counts = np.bincount(index, minlength=2 * WIDTH * HEIGHT)
        whole = np.minimum(counts, 255).astype(np.uint8)
        off, on = np.split(np.minimum(whole, 15), 2)
        for what, plain in (("planes", whole), ("two in a byte", off | on << 4)):
            ways = {"igzip": partial(deflated, plain), "zlib 1": partial(by_zlib, plain)}
            times = race(ways, options.rounds(5))
            rows += [
                (scene, what, way, 1e3 * seconds, len(ways[way]()) / 1e3)
                for way, seconds in times.items()
            ]
    return Table("10 Mev/s in planes", ("scene", "what", "by", "CPU ms", "kB"), rows)


def by_zlib(plain: np.ndarray) -> bytes:
    """Return bytes deflated by zlib at its fastest."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    return deflate.compress(plain.data) + deflate.flush()


def serving(options: Options) -> tuple[Table, list[Gate]]:
    """Measure a process that shows to five pages, of which one never reads, and records."""
    rows: list[tuple[str | float | None, ...]] = []
    gates: list[Gate] = []
    for rate in (3e6,) if options.smoke else (3e6, 10e6):
        times = ("1", "1") if options.smoke else ("20", "5")
        found = ask(rate, times, str(options.folder))
        late = found["late"]
        middle, high = (1e3 * late[int(share * len(late))] for share in (0.5, 0.99))
        rows.append((
            f"{rate / 1e6:g}", found["rate"] / 1e6, 100 * found["cpu"], middle, high,
            found["grown"], found["missed"], max(found["skipped"]),
        ))  # fmt: skip
        gates += [
            Gate(f"events missed by the recorder at {rate / 1e6:g} Mev/s", found["missed"], 0),
            Gate(f"growth in MiB at {rate / 1e6:g} Mev/s", found["grown"], 32),
        ]
    columns = (
        "Mev/s", "came", "CPU %", "lag p50 ms", "lag p99 ms", "growth MiB", "missed",
        "pieces skipped by the one",
    )  # fmt: skip
    return Table("five pages, of which one never reads", columns, rows), gates


def ask(rate: float, times: tuple[str, str], folder: str) -> dict:
    """Run the process that shows, for so many seconds after so many more; return what it says."""
    command = [sys.executable, "-c", SHOW, str(rate), *times, folder, PAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    time.sleep(0.1)
    return json.loads(done.stdout)
