"""The live view: the newest picture, at a pace, and it ends when it is to."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import re
import subprocess
import sys
import threading
from base64 import b64encode
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread
import numpy as np
import pytest
from PIL import Image

import aevents
from aevents import Frame, MissingExtraError, Sensor, Span
from aevents.interop import notebook
from aevents.interop.notebook import Live, watch
from aevents.stream import Stream
from aevents.testing import example_events

FRAMES = [
    Frame(np.full((4, 6), number, np.uint8), Span(number, number + 1), Sensor(6, 4), "intensity")
    for number in range(40)
]


PAGE_OF_WIDGET = (Path(notebook.__file__).with_name("live.js")).read_text()
PAGE = """<body><div id="el"></div><pre id="log"></pre><script type="module">
const { default: page } = await import("data:text/javascript;base64,%s");
const state = { figures: "first", running: true };
const heard = {}, sent = [], told = [], disabled = [];
let off = 0;
const model = {
  get: name => state[name], send: message => sent.push(message), off: () => off++,
  on: (names, call) => names.split(" ").forEach(name => heard[name] = call),
};
const el = document.getElementById("el");
const end = page.render({ model, el });
const [image, figures, button] = el.children;
const note = () => { told.push(figures.textContent); disabled.push(button.disabled); };
note();
button.click();
state.picture = new DataView(new Uint8Array(%s).buffer);
heard["change:picture"]();
await image.decode();
const canvas = document.createElement("canvas").getContext("2d");
canvas.drawImage(image, 0, 0);
Object.assign(state, { figures: "later", running: false });
heard["change:running"]();
note();
end();
document.getElementById("log").textContent = JSON.stringify({
  size: [image.naturalWidth, image.naturalHeight], sent, told, disabled, off,
  pixel: [...canvas.getImageData(5, 5, 1, 1).data],
});
</script>"""


def stream_of(items: list[Frame]) -> Stream[object]:
    return cast("Stream[object]", aevents.from_frames(np.stack([one.array for one in items])))


def endless() -> Stream[object]:
    """A first frame, and the next one after half a minute."""
    return stream_of(FRAMES).paced(speed=1e-3, repeat=True)


def brightness(view: Live) -> int:
    with Image.open(io.BytesIO(view.picture)) as picture:
        return int(np.asarray(picture)[0, 0, 0])


async def test_it_shows_the_newest_and_ends_with_the_stream() -> None:
    view = Live(stream_of(FRAMES), hz=1_000)
    seen: list[bool] = []
    view._page.observe(lambda change: seen.append(change["new"]), "running")
    report = await view.run()
    assert brightness(view) == 39
    assert report.delivered + report.get("queue_dropped_oldest", 0) == 40
    assert view.figures.endswith(f"{report.delivered} shown, {40 - report.delivered} passed over")
    assert seen == [True, False]


async def test_it_shows_no_more_than_it_is_told() -> None:
    view = Live(stream_of(FRAMES), hz=4)
    began = anyio.current_time()
    report = await view.run()
    assert report.delivered <= 1 + 4 * (anyio.current_time() - began)


async def test_events_are_pictures_too_and_what_is_none_has_figures() -> None:
    batch = example_events(100)
    view = Live(cast("Stream[object]", aevents.from_array(batch, batch.sensor)))
    await view.run()
    assert view.picture[:4] == b"\x89PNG"
    numbers = Live(cast("Stream[object]", aevents.from_array(batch).each()), hz=1e6)
    await numbers.run()
    assert (numbers.picture, "shown" in numbers.figures) == (b"", True)


async def test_it_runs_beside_the_body_and_ends_with_it() -> None:
    view = Live(endless())
    async with view.beside():
        await anyio.wait_all_tasks_blocked()
        assert view.running
        with pytest.raises(RuntimeError, match="this view runs already"):
            await view.run()
    assert not view.running


@pytest.mark.parametrize("way", ["stop", "close", "button", "thread"])
async def test_it_can_be_stopped(way: str) -> None:
    view = Live(endless())
    view.stop()  # which is nothing, before it runs
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(view.run)
        await anyio.wait_all_tasks_blocked()
        if way == "button":
            view._page._handle_custom_msg("other", [])
            view._page._handle_custom_msg("stop", [])
        elif way == "thread":
            thread = threading.Thread(target=view.stop)
            thread.start()
            await anyio.to_thread.run_sync(thread.join)
        else:
            getattr(view, way)()
    assert not view.running


@pytest.mark.parametrize("native", [True, False])
async def test_a_cell_that_is_interrupted_stops_it(*, native: bool) -> None:
    view = Live(endless())
    if native:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(view.run(), 0.05)
    else:
        with anyio.move_on_after(0.05):
            await view.run()
    assert not view.running


async def test_an_error_of_the_stream_is_raised() -> None:
    def fail(item: object) -> object:
        raise KeyError("x")

    view = Live(stream_of(FRAMES).map(fail))
    with pytest.raises(KeyError):
        await view.run()
    assert not view.running


async def test_watch_shows_it_and_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[object] = []
    monkeypatch.setattr(notebook, "display", displayed.append)
    report = await watch(stream_of(FRAMES), hz=1_000)
    [view] = displayed
    assert isinstance(view, Live)
    assert report.delivered > 0


def test_it_is_made_without_an_event_loop() -> None:
    view = Live(stream_of(FRAMES))
    view.close()
    assert not view.running


def test_a_rate_is_above_0() -> None:
    with pytest.raises(ValueError, match="hz is above 0, not 0"):
        Live(stream_of(FRAMES), hz=0)


def test_its_page_is_package_data() -> None:
    assert "export default { render }" in str(notebook._Page._esm)


@pytest.mark.timeout(120)
def test_its_page_draws_the_picture_and_the_button_says_stop(tmp_path: Path) -> None:
    picture = list(aevents.png(FRAMES[9], zoom=20))
    page = tmp_path / "page.html"
    page.write_text(PAGE % (b64encode(PAGE_OF_WIDGET.encode()).decode(), picture))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    profile = [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000"]
    done = subprocess.run([*command, *profile, page.as_uri()], capture_output=True, check=True)
    found = re.search(r'<pre id="log">(.*?)</pre>', done.stdout.decode())
    assert found is not None
    assert json.loads(found[1]) == {
        "size": [120, 80], "pixel": [9, 9, 9, 255], "sent": ["stop"], "told": ["first", "later"],
        "disabled": [False, True], "off": 2,
    }  # fmt: skip


def test_without_anywidget_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aevents.interop.notebook")
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aevents\[notebook\]'"):
        importlib.import_module("aevents.interop.notebook")
