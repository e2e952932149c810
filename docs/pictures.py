"""Makes the picture of the viewer that README shows.

python docs/pictures.py docs/pictures/viewer.png

It needs Chromium and `pip install 'aevents[web]' playwright`.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import aevents

RECORDINGS = {
    "fan.raw": "synthetic:disk?rate=900000&noise=0.002&size=640x480&duration_us=2000000",
    "bar.raw": "synthetic:bar?rate=700000&noise=0.002&size=640x480&duration_us=2000000",
}
WAIT = """async ([show, timeUs, windowUs]) => {
    const until = async (holds) => {
        while (!holds()) await new Promise((done) => setTimeout(done, 20));
    };
    await until(() => globalThis.aevents?.shows.get(show)?.stats?.rate_hz > 0);
    const one = aevents.shows.get(show);
    if (one.playing) one.toggle();
    await until(() => !one.playing && one.card.timeline.told?.whole);
    one.send("seek", {time_us: timeUs, window_us: windowUs});
    await until(() => one.timeUs === timeUs && !one.dirty);
}"""


def main(path: Path) -> None:
    """Show two recordings, and take a picture of the page."""
    with tempfile.TemporaryDirectory() as folder:
        for name, url in RECORDINGS.items():
            aevents.run(partial(aevents.open(url).to, str(Path(folder) / name)))
        with watched(Path(folder)) as url, sync_playwright() as playwright:
            chromium = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1120, "height": 580})
            page.goto(url)
            arrange(page)
            page.screenshot(path=path)
            browser.close()


@contextmanager
def watched(folder: Path) -> Iterator[str]:
    """Run `aevents view` on the recordings; give its address."""
    command = [sys.executable, "-m", "aevents", "view", *RECORDINGS, "--no-browser", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as viewer:
        assert viewer.stderr is not None
        try:
            yield viewer.stderr.readline().split()[3].rstrip(",")
        finally:
            viewer.send_signal(signal.SIGINT)


def arrange(page: Page) -> None:
    """Have each recording stand at a moment that shows something."""
    page.evaluate(WAIT, [0, 1_440_000, 200_000])
    page.evaluate(WAIT, [1, 1_210_000, 200_000])
    page.keyboard.press("n")
    page.keyboard.press("5")
    page.keyboard.press("n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
