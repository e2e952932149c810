"""The page in a real browser, and viewers for it to look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from aevents.cli.reading import Input
from aevents.cli.view import show_of
from aevents.junctions.infer import Given
from aevents.viewer.asking import Asker
from aevents.viewer.folder import Folder
from aevents.viewer.serve import Served
from aevents.viewer.server import Place
from aevents.viewer.shows import Show

Made = Callable[[int], Show]
Models = Mapping[str, Given]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "viewer"
"""Where pictures of the page are left, to be looked at."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
LAPTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
PATIENCE_MS = 15_000

UNTIL = """([condition, patience]) => new Promise((done, failed) => {
    const holds = CONDITION;
    const end = performance.now() + patience;
    const look = () => {
        if (holds()) done();
        else if (performance.now() > end) failed(new Error(`never: ${condition}`));
        else setTimeout(look, 20);
    };
    look();
})"""
PIXELS = """(show) => {
    const {canvas, context} = aevents.shows.get(show).stage;
    return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """Start a browser; skip the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


class Viewing:
    """A viewer in a thread of this process: of sources by name, or shows that are made."""

    def __init__(self, folder: Path, *sources: str | Made, models: Models | None = None) -> None:
        self._folder = folder
        self._sources = sources
        self._models = models or {}
        self._port = 0
        self._stack = ExitStack()
        self.url = ""

    def start(self) -> None:
        """Serve, on the port of the last time."""
        portal = self._stack.enter_context(start_blocking_portal())
        folder = Folder(self._folder, {".raw", ".aedat4"})
        shows = [portal.call(self._show, *numbered) for numbered in enumerate(self._sources)]
        served = Served(Place(port=self._port), folder, self._show)
        running = portal.wrap_async_context_manager(served.running(shows))
        self.url = self._stack.enter_context(running)
        self._port = urlsplit(self.url).port or 0

    def stop(self) -> None:
        """Be gone."""
        self._stack.close()

    def _show(self, number: int, source: str | Made) -> Show:
        made = (
            show_of(number, self._named(source), Input(), self._folder)
            if isinstance(source, str)
            else source(number)
        )
        made.asker = Asker(made, self._models)
        return made

    def _named(self, source: str) -> str:
        return source if ":" in source else str(self._folder / source)


class Sight:
    """A page that somebody looks at. What goes wrong in it is kept in `errors`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def until(self, condition: str) -> None:
        """Wait until an expression of JavaScript holds; `first` is the first show.

        Playwright's own waiting evaluates text in the page, which its policy forbids.
        """
        holds = f"() => {{ const [first] = aevents.shows.values(); return {condition}; }}"
        self.page.evaluate(UNTIL.replace("CONDITION", holds), [condition, PATIENCE_MS])

    def ask(self, expression: str) -> Any:  # noqa: ANN401  # whatever it is
        """Return the value of an expression of JavaScript; `first` is the first show."""
        return self.page.evaluate(
            f"() => {{ const [first] = aevents.shows.values(); return {expression}; }}"
        )

    def pixels(self, show: int = 0) -> npt.NDArray[np.uint8]:
        """Return what is drawn, `(height, width, 3)`."""
        width, height = self.ask(
            f"(({{width, height}}) => [width, height])(aevents.shows.get({show}).stage)"
        )
        data = self.page.evaluate(PIXELS, show)
        return np.array(data, np.uint8).reshape(height, width, 4)[:, :, :3]

    def keep(self, name: str) -> None:
        """Leave a picture of the page, to be looked at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


def settled(sight: Sight, time_us: int, show: int = 0) -> None:
    """Go to a time while all stands still, and wait until it is drawn."""
    one = f"aevents.shows.get({show})"
    sight.ask(f"{one}.playing && {one}.toggle()")
    sight.until(f"!{one}.playing")
    sight.ask(f"{one}.seek({time_us})")
    sight.until(f"{one}.timeUs === {time_us} && !{one}.dirty")
