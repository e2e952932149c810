"""The page of the viewer, in a real browser: what it draws, what its buttons do, what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from websockets.sync.client import connect

import aevents
from aevents.codecs.evt3 import Evt3Encoder
from aevents.errors import DeviceLostError
from aevents.testing import encode
from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.live import LiveShow, PushedShow
from aevents.viewer.messages import Knob, Problem
from tests.viewer.browsers import (
    LAPTOP,
    PHONE,
    ROOT,
    Made,
    Models,
    Sight,
    Viewing,
    chromium,
    settled,
)
from tests.viewer.test_live import Camera, batches

SENSOR = Sensor(32, 24)
SCENE = [  # t, x, y, p
    (500_000, 4, 3, 1),
    (510_000, 5, 3, 0),
    (512_000, 6, 3, 1), (513_000, 6, 3, 1), (514_000, 6, 3, 1),
    (512_500, 7, 3, 0), (513_500, 7, 3, 0),
    (515_000, 8, 3, 1), (516_000, 8, 3, 0),
    (1_000_000, 20, 15, 1),
    (2_000_000, 21, 15, 1),
]  # fmt: skip
MOMENT = 520_000

GROUND, ON, OFF = (11, 14, 19), (162, 220, 255), (194, 87, 12)
VIEWS = {
    "Events": {4: ON, 5: OFF, 6: ON, 7: OFF, 8: OFF, 9: GROUND},
    "Signed": {4: (86, 117, 137), 5: (103, 51, 16), 6: ON, 7: OFF, 8: GROUND, 9: GROUND},
    "Polarity": {4: (86, 117, 137), 5: (103, 51, 16), 6: ON, 7: OFF, 8: (178, 154, 134), 9: GROUND},
    "Time surface": {4: ON, 5: (202, 236, 255), 9: GROUND},
    "Decay": {4: (88, 120, 140), 5: (142, 66, 14), 9: GROUND},
}
"""The colours of pixels in row 3 at MOMENT: two events have the full colour, 33 ms are the window,
100 ms that of the time surface, 30 ms the decay.
"""

pytestmark = pytest.mark.timeout(60)  # a browser needs time to come up where others work

Look = Callable[..., Sight]
View = Callable[..., Viewing]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """A function that opens a page; in the end no page may have had an error."""
    with ExitStack() as stack:
        sights = []

        def opened(viewing: Viewing, viewport: object = LAPTOP) -> Sight:
            context = stack.enter_context(browser.new_context(viewport=viewport))  # type: ignore[arg-type]
            sights.append(Sight(context.new_page()))
            sights[-1].page.goto(viewing.url)
            return sights[-1]

        yield opened
        assert [error for sight in sights for error in sight.errors] == []


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    """A function that starts a viewer of files in the test's folder, of URLs, or of shows."""
    with ExitStack() as stack:

        def started(*sources: str | Made, models: Models | None = None) -> Viewing:
            viewing = Viewing(tmp_path, *sources, models=models)
            viewing.start()
            stack.callback(viewing.stop)
            return viewing

        yield started


def recorded(path: Path, rows: list[tuple[int, int, int, int]]) -> str:
    t, x, y, p = np.array(sorted(rows)).T.copy()
    batch = EventBatch.from_columns(t=t, x=x, y=y, p=p.astype(bool), sensor=SENSOR)
    path.write_bytes(encode(Evt3Encoder(), [batch]))
    return path.name


@pytest.fixture
def scene(tmp_path: Path) -> str:
    return recorded(tmp_path / "scene.raw", SCENE)


def for_a_while(sight: Sight) -> None:
    """Wait for the figures that come next: some are told every quarter of a second."""
    sight.ask("first.stats = null")
    sight.until("first.stats !== null")


def test_each_view_draws_the_right_pixels(scene: str, view: View, look: Look) -> None:
    sight = look(view(scene))
    sight.until("first?.drawn > 0")
    settled(sight, MOMENT)
    for name, expected in VIEWS.items():
        sight.page.get_by_role("radio", name=name, exact=True).click()
        sight.until("!first.dirty")
        row = sight.pixels()[3].astype(int)
        for x, colour in expected.items():
            assert np.abs(row[x] - colour).max() <= 3, (name, x, row[x])
        sight.keep(f"scene-{name.lower().replace(' ', '-')}")


def test_a_dense_piece_is_drawn(tmp_path: Path, view: View, look: Look) -> None:
    """768 pixels with 140 events each within a millisecond: ON in even columns, OFF in odd ones."""
    x, y = np.arange(768) % 32, np.arange(768) // 32
    rows = [
        (100_000 + n, int(a), int(b), 1 - int(a) % 2)
        for n in range(140)
        for a, b in zip(x, y, strict=True)
    ]
    sight = look(view(recorded(tmp_path / "dense.raw", [*rows, (400_000, 0, 0, 1)])))
    sight.until("first?.drawn > 0")
    settled(sight, 101_000)
    for key in "123":  # events, signed, polarity
        sight.page.keyboard.press(key)
        sight.until("!first.dirty")
        pixels = sight.pixels()
        assert (pixels[:, 0::2] == ON).all()
        assert (pixels[:, 1::2] == OFF).all()
    settled(sight, 300_000)
    assert (sight.pixels() == GROUND).all()


def test_points_can_be_larger_and_the_window_shorter(scene: str, view: View, look: Look) -> None:
    sight = look(view(scene))
    sight.until("first?.drawn > 0")
    settled(sight, 1_000_010)
    for _ in range(2):
        sight.page.keyboard.press("p")
    sight.until("!first.dirty")
    pixels = sight.pixels()
    assert (pixels[14:17, 19:22] == ON).all()
    assert (pixels == ON).all(axis=2).sum() == 9
    settled(sight, 1_010_000)
    assert (sight.pixels() == ON).all(axis=2).sum() == 9
    slider = sight.page.get_by_role("slider", name="Window", exact=True)
    slider.focus()
    slider.press("Home")  # 1 ms
    sight.until("!first.dirty")
    assert (sight.pixels() == GROUND).all()


def test_a_recording_is_scrubbed_to_the_event(scene: str, view: View, look: Look) -> None:
    sight = look(view(scene))
    page = sight.page
    sight.until("first?.about.last_us >= 2000000 && first.drawn > 0")
    settled(sight, MOMENT)
    box = page.get_by_role("slider", name="Time line").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.344 * box["width"], box["y"] + 5, steps=8)  # 0.5 s to 2 s
    page.mouse.up()
    sight.until("first.timeUs > 1000000 && first.timeUs < 1033000 && !first.dirty")
    assert (sight.pixels()[15, 20] == ON).all()
    assert (sight.pixels() == ON).all(axis=2).sum() == 1
    page.keyboard.press("End")
    sight.until("first.timeUs >= 2000000 && !first.dirty")
    page.keyboard.press("Home")
    sight.until("first.timeUs === first.about.first_us && !first.dirty")
    assert (sight.pixels() == GROUND).all()


def test_a_recording_is_played_slowly_paused_and_stepped(
    scene: str, view: View, look: Look
) -> None:
    sight = look(view(scene))
    page = sight.page
    sight.until("first?.drawn > 0")
    settled(sight, MOMENT)
    page.get_by_role("combobox", name="Speed").select_option("0.01")
    sight.until("first.state.speed === 0.01")
    before = sight.ask("first.timeUs")
    page.get_by_role("button", name="Play").click()
    sight.until(f"first.timeUs > {before}")
    page.get_by_role("button", name="Pause").click()
    sight.until("first.state.state === 'paused'")
    for_a_while(sight)
    before = sight.ask("first.timeUs")
    for_a_while(sight)
    assert sight.ask("first.timeUs") == before
    settled(sight, 1_010_000)
    page.get_by_role("button", name="Step forward").click()
    sight.until("first.timeUs === 1043000")
    page.keyboard.press("ArrowLeft")
    sight.until("first.timeUs === 1010000")


def test_what_is_recorded_is_what_came_whoever_looks(
    tmp_path: Path, view: View, look: Look
) -> None:
    """Two pages look, and one that never reads."""
    source = "synthetic:bar?rate=300000&size=320x240&seed=7"
    viewing = view(f"{source}&duration_us=0")
    sights = [look(viewing), look(viewing, PHONE)]
    with connect(viewing.url.replace("http", "ws") + "/ws", max_queue=1) as deaf:
        deaf.send('{"type": "credit", "show": 0, "seq": 0, "count": 4}')
        for sight in sights:
            sight.until("first?.drawn > 5 && first.stats?.clients === 3")
        record = sights[0].page.get_by_role("button", name="Record")
        record.click()
        sights[1].until("first.state.recording !== null")
        begun = sights[1].ask("first.drawn")
        sights[1].until(f"first.drawn > {begun + 20}")
        record.click()
        sights[0].until(
            "document.querySelector('#notes').textContent.includes('Saved the recording')"
        )
        assert sights[0].ask("first.stats.drops") == {}
    (path,) = tmp_path.glob("*.aedat4")
    events = aevents.load(str(path))
    first, last = int(events.t[0]), int(events.t[-1])
    truth = aevents.load(f"{source}&duration_us={last + 1}").between(first, last + 1)
    assert len(events) > 10_000
    for name in "txyp":
        assert np.array_equal(getattr(events, name), getattr(truth, name)), name


def test_the_page_survives_that_the_server_is_started_anew(
    scene: str, view: View, browser: Browser
) -> None:
    viewing = view(scene)
    context = browser.new_context(viewport=LAPTOP)
    sight = Sight(context.new_page())
    sight.page.goto(viewing.url)
    sight.until("first?.drawn > 0")
    viewing.stop()
    sight.until("document.querySelector('#link').dataset.state === 'lost'")
    assert "trying again" in sight.page.locator("#link").inner_text()
    viewing.start()
    sight.until("document.querySelector('#link').dataset.state === 'open'")
    sight.until(
        "document.querySelector('#notes').textContent.includes('started anew') && first?.drawn > 0"
    )
    settled(sight, MOMENT)
    assert (sight.pixels()[3, 4] == ON).all()
    assert all("ERR_CONNECTION_REFUSED" in error for error in sight.errors)  # while it was gone
    context.close()


def test_a_camera_that_is_unplugged_is_explained_and_tried_again(view: View, look: Look) -> None:
    gone = DeviceLostError("the camera is gone: has it been unplugged?")
    cameras = iter([Camera(batches(3), gone), Camera(batches(3))])
    sight = look(
        view(lambda number: LiveShow(number, "camera", "usb:", lambda: next(cameras).open()))
    )
    sight.until("first?.state.state === 'failed'")
    assert sight.page.get_by_text("has it been unplugged?").is_visible()
    sight.keep("unplugged")
    sight.page.get_by_role("button", name="Try again").click()
    sight.until("first.state.state === 'ended'")
    assert not sight.page.get_by_text("has it been unplugged?").is_visible()


def test_recordings_that_are_torn_or_gone_are_explained(
    scene: str, tmp_path: Path, view: View, look: Look
) -> None:
    (tmp_path / "torn.aedat4").write_bytes(b"#!AER-DAT4.0\r\n" + bytes(40))
    sight = look(view("torn.aedat4", scene))
    sight.until("first?.state.state === 'failed'")
    first, second = sight.page.get_by_role("region").all()
    assert "torn.aedat4" in first.inner_text()
    assert "aedat4" in first.locator(".words").inner_text()
    sight.keep("torn")
    settled(sight, MOMENT, show=1)
    (tmp_path / scene).unlink()
    sight.ask("aevents.shows.get(1).seek(600000)")
    second.get_by_text("No such file").wait_for()


def test_several_sources_are_seen_side_by_side(scene: str, view: View, look: Look) -> None:
    bar = "synthetic:bar?rate=100000&size=160x120&duration_us=0"
    sight = look(view(scene, bar, "synthetic:disk?rate=100000&size=160x120&duration_us=0"))
    sight.until(
        "aevents.shows.size === 3 && [...aevents.shows.values()].every((show) => show.drawn > 3)"
    )
    page = sight.page
    page.keyboard.press("n")
    page.keyboard.press("5")
    views = sight.ask("[...aevents.shows.values()].map((show) => show.settings.view)")
    assert views == ["events", "decay", "events"]
    left, right = (one.bounding_box() for one in page.locator("canvas[role=img]").all()[:2])
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    sight.keep("side-by-side")
    page.get_by_role("region", name=scene).get_by_role("button", name="Close").click()
    sight.until("aevents.shows.size === 2")
    page.get_by_role("button", name=scene).click()  # among the recordings of the folder
    sight.until("aevents.shows.size === 3")


class Adjustable(PushedShow):
    """A camera that remembers what it was told, and says it to the pages."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "camera", "usb:")
        self.value = 30
        self.region: tuple[int, ...] = ()
        self.sensor = Sensor(320, 240)

    @property
    def biases(self) -> Mapping[str, Knob]:
        return {"bias_fo": Knob(self.value, -35, 55)}

    @property
    def roi(self) -> bool:
        return True

    async def set_bias(self, name: str, value: int) -> None:
        assert name == "bias_fo"
        self.value = value
        self.changed()

    async def set_roi(self, region: tuple[int, int, int, int]) -> None:
        self.region = region
        self.told(Problem(self.id, "the region is set"), None)


def test_biases_and_the_region_of_a_camera_are_set(view: View, look: Look) -> None:
    cameras: list[Adjustable] = []

    def made(number: int) -> Adjustable:
        cameras.append(Adjustable(number))
        return cameras[-1]

    viewing = view(made)
    sight, other = look(viewing), look(viewing)
    other.until("first?.about.biases.bias_fo.value === 30")
    slider = sight.page.get_by_role("slider", name="bias_fo")
    slider.focus()
    slider.press("End")
    other.until("first.about.biases.bias_fo.value === 55")
    assert other.page.get_by_role("slider", name="bias_fo").input_value() == "55"
    assert slider.evaluate("(one) => one === document.activeElement")  # though told anew
    sight.page.get_by_role("slider", name="Region: left").fill("100")
    sight.until("document.querySelector('#notes').textContent.includes('the region is set')")
    assert cameras[0].region == (100, 0, 220, 240)
    sight.page.get_by_role("button", name="Draw region").click()
    box = sight.page.locator(".sheet canvas").bounding_box()
    assert box is not None
    scale = box["width"] / 320
    sight.page.mouse.move(box["x"] + 40.5 * scale, box["y"] + 60.5 * scale)
    sight.page.mouse.down()
    sight.page.mouse.move(box["x"] + 139.5 * scale, box["y"] + 159.5 * scale, steps=3)
    sight.page.mouse.up()
    sight.until("document.querySelectorAll('.note').length > 1")
    assert cameras[0].region == (40, 60, 100, 100)
    sight.keep("camera")


def middle(frame: Frame) -> dict[str, object]:
    """A model: where its events are."""
    box = {"x": 80, "y": 60, "width": 160, "height": 120, "label": "bar", "score": 0.9}
    return {"boxes": [box], "labels": [f"{int(np.asarray(frame).sum())} events"]}


def test_results_of_models_are_laid_over_their_frames(view: View, look: Look) -> None:
    bar = "synthetic:bar?rate=200000&size=320x240&duration_us=0"
    sight = look(view(bar, models={"middle": middle}))
    page = sight.page
    page.get_by_role("tab", name="middle").wait_for()
    page.get_by_role("button", name="Start").click()
    sight.until("document.querySelectorAll('.stage .box').length === 1")
    assert sight.ask(
        "[...document.querySelector('.stage .box').attributes].slice(0, 4).map((one) => one.value)"
    ) == ["80", "60", "160", "120"]
    assert "bar 0.90" in (page.locator(".stage .overlay").text_content() or "")
    sight.until("document.querySelectorAll('.results li').length > 1")
    assert "events" in page.locator(".results li").first.inner_text()
    sight.keep("model")
    page.get_by_role("button", name="Stop").click()
    sight.until("document.querySelectorAll('.stage .box').length === 0")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save results").click()
    lines = saved.value.path().read_text().splitlines()
    assert len(lines) > 1
    assert {json.loads(line)["model"] for line in lines} == {"middle"}


def test_pictures_are_shown_and_saved(tmp_path: Path, view: View, look: Look) -> None:
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[5, 7], pixels[6, 8] = (200, 100, 50), (1, 2, 3)
    (tmp_path / "film.png").write_bytes(
        aevents.png(Frame(pixels, Span(0, 1000), SENSOR, "intensity"))
    )
    sight = look(view("film.png"))
    sight.until("first?.drawn > 0 && !first.dirty")
    assert (sight.pixels() == pixels).all()
    with sight.page.expect_download() as saved:
        sight.page.keyboard.press("s")
    assert saved.value.suggested_filename.startswith("film.png")


def test_the_picture_is_zoomed_where_the_pointer_is_and_moved(
    scene: str, view: View, look: Look
) -> None:
    sight = look(view(scene))
    sight.until("first?.drawn > 0")
    box = sight.page.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"]
    before = sight.ask(f"first.stage.pixelAt({x}, {y})")
    sight.page.mouse.move(x, y)
    sight.page.mouse.wheel(0, -300)
    sight.until("first.stage.zoom > 2.5")
    assert sight.ask(f"first.stage.pixelAt({x}, {y})") == before
    sight.page.mouse.down()
    sight.page.mouse.move(x + 50, y + 40, steps=4)
    sight.page.mouse.up()
    assert sight.ask(f"first.stage.pixelAt({x} + 50, {y} + 40)") == before
    sight.page.keyboard.press("0")
    assert sight.ask("first.stage.zoom") == 1


def test_the_page_is_good_on_a_phone(scene: str, view: View, look: Look) -> None:
    sight = look(view(scene), PHONE)
    sight.until("first?.drawn > 0")
    assert sight.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    box = sight.page.locator(".stage").bounding_box()
    assert box is not None
    assert box["width"] > 0.9 * PHONE["width"]
    sight.keep("phone")


def test_all_that_can_be_touched_has_a_name_and_keys_are_listed(
    scene: str, view: View, look: Look
) -> None:
    sight = look(view(scene))
    sight.until("first?.drawn > 0")
    page = sight.page
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").get_by_text("next colour map").wait_for()
    sight.keep("keys")
    page.keyboard.press("Escape")
    tree = page.locator("body").aria_snapshot()
    nameless = re.findall(
        r"^\s*- (?:button|slider|combobox|radio|tab|img)\s*:?$", tree, re.MULTILINE
    )
    assert nameless == []
    for name in ("Pause", "Play"):
        if page.get_by_role("button", name=name, exact=True).count():
            break
    else:
        pytest.fail("there is no button to play or pause")


def test_the_picture_of_the_docs_can_be_made_anew(tmp_path: Path, browser: Browser) -> None:
    """The browser is asked for so that the test is skipped where there is none."""
    script, made = ROOT / "docs" / "pictures.py", tmp_path / "viewer.png"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(script), str(made)], check=True, env=environment)
    assert 20_000 < made.stat().st_size < 200_000
    assert (ROOT / "docs" / "pictures" / "viewer.png").stat().st_size < 200_000


LUMINANCE = """async () => {
    const {MAPS} = await import("./colours.js");
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const luminance = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) =>
        sum + weight * linear(parseInt(colour.slice(1 + 2 * k, 3 + 2 * k), 16) / 255), 0);
    const all = Object.values(MAPS);
    return all.map(({on, off, ground}) => [on, off, ground].map(luminance));
}"""


def test_on_and_off_are_told_apart_without_colours(scene: str, view: View, look: Look) -> None:
    """By the contrast of WCAG 2: 3 is asked of what is to be seen beside something else."""
    maps = look(view(scene)).page.evaluate(LUMINANCE)
    contrasts = {
        (number, name): (max(pair) + 0.05) / (min(pair) + 0.05)
        for number, (on, off, ground) in enumerate(maps)
        for name, pair in {"on, off": (on, off), "on": (on, ground), "off": (off, ground)}.items()
    }
    assert len(contrasts) == 18
    assert {at: contrast for at, contrast in contrasts.items() if contrast < 3} == {}
