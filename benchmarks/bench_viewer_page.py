"""How many frames a second does the viewer's page draw, in Chromium without a GPU?

A process shows a stream at 1280x720 to a page in headless Chromium, by itself and beside five more
clients of which one never reads. The bare loop is a page in the same browser that puts the same
picture on a canvas of that size whenever the screen (of 60 Hz) wants one. They take turns. CPU
times are of all of a process's children too. Without Chromium nothing is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from benchmarks.bench_viewer import PAGES
from benchmarks.measure import ROOT, Answer, Gate, Options, Table

SHOW = """
import asyncio, sys, anyio, aevents
from aevents._contracts import Origin
from aevents.stream import stream_of
from aevents.types import EventBatch, Span
from aevents.viewer.live import LiveShow
from aevents.viewer.serve import Served
from aevents.viewer.server import Place

PART_US = 4_000
scene = f"synthetic:disk?rate={sys.argv[1]}&duration_us=1000000&size=1280x720"
parts = [*aevents.open(scene).window(duration_us=PART_US).blocking()]

class Camera:
    counts = {}
    def __init__(self): self.number, self.began = 0, asyncio.get_running_loop().time()
    async def __anext__(self):
        await anyio.sleep_until(self.began + self.number * PART_US / 1e6)
        part, start = parts[self.number % len(parts)], self.number * PART_US
        self.number += 1
        t = part.t - part.span.start + start
        return EventBatch(t, part.x, part.y, part.p, part.sensor, Span(start, start + PART_US))
    def close(self): pass
    async def aclose(self): pass

async def main():
    open = lambda: stream_of(Origin("bench", waiting=Camera, live=True))
    async with Served(Place(port=0)).running([LiveShow(0, "bench", "bench:", open)]) as url:
        print(url, flush=True)
        await anyio.sleep_forever()

aevents.run(main)
"""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
VIEWPORT = {"width": 1280, "height": 800}
BARE = """async (milliseconds) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1280, 720];
    document.body.append(canvas);
    const context = canvas.getContext("2d", {alpha: false});
    const image = context.createImageData(1280, 720);
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const began = performance.now();
    let count = 0;
    for (; performance.now() < began + milliseconds; count++) {
        new Uint32Array(image.data.buffer).fill(0xff000000 | count);
        context.putImageData(image, 0, 0);
        await frame();
    }
    return 1000 * count / (performance.now() - began);
}"""
BEGUN = """async () => {
    const begun = () => globalThis.aevents?.shows.get(0)?.drawn > 30;
    while (!begun()) await new Promise((done) => setTimeout(done, 20));
}"""
DRAWN = """async (milliseconds) => {
    const show = aevents.shows.get(0);
    const [began, before] = [performance.now(), show.drawn];
    await new Promise((done) => setTimeout(done, milliseconds));
    return 1000 * (show.drawn - before) / (performance.now() - began);
}"""
VIEWS = {"events": "1", "signed": "2", "decay": "5"}


def run(options: Options) -> Answer:
    """Measure two rates, three views, and the page beside others."""
    rows: list[tuple[str | float | None, ...]] = []
    gates: list[Gate] = []
    runs = [(rate, view, False) for rate in (3e6, 10e6) for view in VIEWS]
    runs = runs[:1] if options.smoke else [*runs, (3e6, "events", True), (10e6, "events", True)]
    for rate, view, crowded in runs if which("chromium") else []:
        drawn, bare, browser, server = measured(rate, VIEWS[view], crowded, options)
        others = "five, one deaf" if crowded else "none"
        rows.append((rate / 1e6, view, others, drawn, bare, drawn / bare, browser, server))
        what = f"at {rate / 1e6:g} Mev/s, {view}, others: {others}"
        gates.append(
            Gate(f"share of the bare loop's frames {what}", drawn / bare, at_least=0.95)
            if rate == 3e6
            else Gate(f"drawn a second {what}", drawn, at_least=30)
        )
    columns = (
        "Mev/s", "view", "others", "drawn a second", "bare loop", "ratio", "browser CPU %",
        "server CPU %",
    )  # fmt: skip
    return Answer([Table("drawn frames a second, 1280x720", columns, rows)], gates)


def measured(
    rate: float, key: str, crowded: bool, options: Options
) -> tuple[float, float, float, float]:
    """Return the frames a second of the bare loop and of the page, in the round in which the page
    drew most; and the CPU time of browser and server meanwhile, in hundredths of one core.
    """
    from playwright.sync_api import sync_playwright

    milliseconds = 500 if options.smoke else 2_500
    with showing(rate, crowded) as (url, *others), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=FLAGS)
        figures = []
        for _ in range(options.rounds(5)):
            page = browser.new_page(viewport=VIEWPORT)
            bare = page.evaluate(BARE, milliseconds)
            page.goto(url)
            page.evaluate(BEGUN)
            page.keyboard.press(key)
            before = [spent(one) for one in (os.getpid(), *others)]
            drawn = page.evaluate(DRAWN, milliseconds)
            used = [
                spent(one) - was for one, was in zip((os.getpid(), *others), before, strict=True)
            ]
            page.close()
            share = 100_000 / milliseconds
            figures.append((drawn, bare, share * (used[0] - sum(used[1:])), share * used[1]))
        browser.close()
    return max(figures)


@contextmanager
def showing(rate: float, crowded: bool) -> Iterator[tuple[str, *tuple[int, ...]]]:
    """Show a stream in a process of its own; give its address, and the numbers of its process and
    of that of the other clients.
    """
    with subprocess.Popen(
        [sys.executable, "-c", SHOW, str(rate)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        address = url.replace("http", "ws") + "/ws"
        crowd = subprocess.Popen([sys.executable, "-c", PAGES, address]) if crowded else None
        try:
            yield url, server.pid, *([crowd.pid] if crowd else [])
        finally:
            for process in (crowd, server):
                if process is not None:
                    process.kill()
                    process.wait()


def spent(root: int) -> float:
    """Return the CPU seconds of a process and of all that it has started."""
    seconds, parents = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # gone by now
            continue
        number = int(path.parent.name)
        parents[number] = int(fields[1])
        seconds[number] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return sum(time for number, time in seconds.items() if root in lineage(number, parents))


def lineage(number: int, parents: dict[int, int]) -> Iterator[int]:
    """Give a process, what has started it, what has started that, and so on."""
    while number in parents:
        yield number
        number = parents[number]
