"""Streams in a service, with real servers and clients; nobody holds up another."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from aevents import DeviceLostError, EventBatch, Frame, Hub, MissingExtraError, Sensor, Span
from aevents.codecs.evt2 import Evt2Encoder
from aevents.codecs.evt3 import CODEC
from aevents.interop import asgi
from aevents.interop import jpeg as pictures
from aevents.testing import assert_same_events, decode
from tests.junctions.streams import settle
from tests.services import Fed, served, until

SENSOR = Sensor(64, 48)


def frame(level: int) -> Frame:
    array = np.full((48, 64), level, np.uint8)
    array.flags.writeable = False
    return Frame(array, Span(0, 1), SENSOR, "intensity")


def shade(picture: bytes) -> int:
    """Return the brightness of a JPEG file of one colour, of 64x48."""
    with Image.open(io.BytesIO(picture)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
        return round(float(np.asarray(image.convert("L")).mean()))


def at(t: int, count: int = 100) -> EventBatch:
    times = t + np.arange(count)
    return EventBatch.from_columns(t=times, x=times % 64, y=times % 48, p=times % 2, sensor=SENSOR)


@asynccontextmanager
async def looking(place: str, path: str, **options: object) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{place}{path}", proxy=None, **options) as socket:  # type: ignore[arg-type]  # its options
        yield socket


async def seen_by(live: asgi.Live, subscribers: int) -> None:
    await until(lambda: live.subscribers == subscribers)


async def test_pictures_come_through_a_websocket() -> None:
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream, "/camera")
    async with served(app) as place, looking(place, "/camera/frames") as socket:
        await seen_by(live, 1)
        for level in (10, 120, 250):
            fed.put(frame(level))
            picture = await socket.recv()
            assert isinstance(picture, bytes)
            assert abs(shade(picture) - level) <= 2


async def test_events_become_pictures_of_windows() -> None:
    app, fed = Starlette(), Fed()
    live = asgi.mount(app, fed.stream, window_us=1000)
    async with served(app) as place, looking(place, "/events/frames") as socket:
        await seen_by(live, 1)
        fed.put(at(0), at(5000))
        with Image.open(io.BytesIO(await socket.recv())) as image:  # type: ignore[arg-type]  # bytes
            assert image.size == (64, 48)


@pytest.mark.parametrize(
    ("last", "code", "reason"),
    [(None, 1000, ""), (DeviceLostError("the camera has gone"), 1011, "the camera has gone")],
)
async def test_the_end_and_an_error_are_told(last: object, code: int, reason: str) -> None:
    fed = Fed()
    hub = Hub(fed.stream.map(asgi.jpeg))

    async def look(websocket: WebSocket) -> None:
        await asgi.send_pictures(websocket, hub)

    app = Starlette(routes=[WebSocketRoute("/look", look)])
    async with hub, served(app) as place, looking(place, "/look") as socket:
        await fed.opened.wait()
        fed.put(frame(9), last)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(2):
                await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)


async def test_a_film_for_an_img() -> None:
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream, "/camera")
    async with (
        served(app) as place,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"http://{place}/camera/frames.mjpeg") as response,
    ):
        assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=aevents"
        await seen_by(live, 1)
        body = response.aiter_bytes()
        for level in (40, 200):
            fed.put(frame(level))
            part = b""
            while not part.endswith(b"\xff\xd9\r\n"):
                part += await anext(body)
            head, _, picture = part.partition(b"\r\n\r\n")
            assert head.startswith(b"--aevents\r\nContent-Type: image/jpeg\r\n")
            assert head.endswith(b"Content-Length: %d" % (len(picture) - 2))
            assert abs(shade(picture) - level) <= 2


async def test_a_recording_that_goes_on() -> None:
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream, "/camera")
    events = [at(1000 * k) for k in range(50)]
    body = b""
    async with (
        served(app) as place,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"http://{place}/camera/events.raw") as response,
    ):
        await seen_by(live, 1)
        fed.put(*events, None)
        async for piece in response.aiter_bytes():
            body += piece
    read = [item for item in decode(CODEC, [body]) if isinstance(item, EventBatch)]
    assert_same_events(EventBatch.concat(read), EventBatch.concat(events))


async def test_any_encoder_will_do() -> None:
    fed = Fed()
    hub = Hub(fed.stream)
    app = FastAPI()
    app.add_route("/raw", lambda _: asgi.raw(hub, Evt2Encoder))
    async with hub, served(app) as place, httpx.AsyncClient(trust_env=False) as client:
        async with client.stream("GET", f"http://{place}/raw") as response:
            fed.put(at(0), None)
            assert b"evt 2.0" in await response.aread()


async def test_figures_are_sent_as_they_change() -> None:
    fed = Fed()
    hub = Hub(fed.stream)
    app = FastAPI()
    app.add_route("/figures", lambda _: asgi.figures(hub, every_s=0.01))
    async with (
        hub,
        hub.subscribe(),
        served(app) as place,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"http://{place}/figures") as response,
    ):
        fed.put(at(0), at(1000))
        async for line in response.aiter_lines():
            told = json.loads(line.removeprefix("data: ")) if line else {}
            if told.get("events") == 200 and told["items"] == 2:
                assert told["counts"] == {"odd": 1}
                assert told["subscribers"] == 1
                break


def noise(seed: int) -> Frame:
    array = np.random.default_rng(seed).integers(0, 255, (240, 320), np.uint8)
    array.flags.writeable = False
    return Frame(array, Span(0, 1), Sensor(320, 240), "intensity")


async def test_one_that_never_reads_holds_up_nobody() -> None:
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream, "/camera")
    picture = noise(7)  # of 60 kB: 200 are more than any buffer on the way holds
    async with served(app) as place:
        async with (
            looking(place, "/camera/frames", max_queue=1, close_timeout=0.1),
            looking(place, "/camera/frames") as quick,
        ):
            await seen_by(live, 2)
            for _ in range(200):
                fed.put(picture)
                assert len(await quick.recv()) > 30_000
        await seen_by(live, 0)


async def test_no_picture_is_made_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def draw(one: Frame) -> bytes:
        made.append(one)
        return b"picture"

    monkeypatch.setattr(pictures, "jpeg", draw)
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream)
    async with served(app) as place:
        async with looking(place, "/events/frames") as socket:
            await seen_by(live, 1)
            fed.put(frame(1))
            assert await socket.recv() == b"picture"
        await seen_by(live, 0)
        fed.put(*map(frame, range(100)))
        await until(lambda: live.report.delivered == 101)
    assert len(made) == 1


@pytest.mark.parametrize(
    ("origin", "others", "welcome"),
    [
        (None, (), True),
        ("http://{place}", (), True),
        ("http://elsewhere.example", (), False),
        ("http://{place}.elsewhere.example", (), False),
        ("null", (), False),
        ("http://friend.example", ("http://friend.example",), True),
    ],
)
async def test_pages_of_other_origins_get_no_websocket(
    origin: str | None, others: tuple[str, ...], welcome: bool
) -> None:
    app, fed = FastAPI(), Fed()
    asgi.mount(app, fed.stream, origins=others)
    async with served(app) as place:
        said = origin and origin.format(place=place)
        options = {"origin": said} if said else {}
        refused = nullcontext() if welcome else pytest.raises(InvalidStatus, match="403")
        with refused:
            async with looking(place, "/events/frames", **options):
                pass


async def test_the_application_keeps_its_own_life() -> None:
    said = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, int]]:
        said.append("begins")
        yield {"answer": 42}
        said.append("ends")

    async def answer(request: object) -> PlainTextResponse:
        return PlainTextResponse(str(request.state.answer))  # type: ignore[attr-defined]  # set above

    app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
    fed = [Fed(), Fed()]
    left, right = asgi.mount(app, fed[0].stream, "/left"), asgi.mount(app, fed[1].stream, "/right")
    async with served(app) as place, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://{place}/")).text == "42"
        assert fed[0].opened.is_set()
        assert fed[1].opened.is_set()
        assert left is not right
    assert said == ["begins", "ends"]


async def test_it_ends_soon_with_clients_there_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    app, fed = FastAPI(), Fed()
    live = asgi.mount(app, fed.stream)
    async with httpx.AsyncClient(trust_env=False) as client:
        async with served(app) as place:
            socket = await connect(f"ws://{place}/events/frames", proxy=None)
            film = client.stream("GET", f"http://{place}/events/frames.mjpeg")
            await film.__aenter__()
            await seen_by(live, 2)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 3
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        await film.__aexit__(None, None, None)
        await socket.close()
    del socket
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_stream_that_fails_is_told_when_the_service_ends() -> None:
    fed = Fed()
    fed.put(frame(1), DeviceLostError("the camera has gone"))
    with pytest.raises(DeviceLostError, match="the camera has gone"):
        async with asgi.Live(fed.stream) as live:
            await until(lambda: live.report.delivered == 1)
            await settle()


def test_without_starlette_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    monkeypatch.delitem(sys.modules, "aevents.interop.asgi")
    with pytest.raises(MissingExtraError, match=r"aevents\[web\]"):
        importlib.import_module("aevents.interop.asgi")
