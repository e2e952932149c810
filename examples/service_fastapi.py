"""A camera, or a recording over and over, in a FastAPI service that any number of browsers watch.

python service_fastapi.py usb: 8000

http://127.0.0.1:8000 is a page with the film and its figures, /camera/events.raw a recording of
what comes (`curl`), /metrics what Prometheus reads. It runs until Ctrl-C.
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

import aevents
from aevents.interop import asgi
from aevents.interop.prometheus import Metrics

PAGE = """<!doctype html><title>Live</title>
<body style="background: #111418; color: #eee; font: 16px system-ui; text-align: center">
<img src="/camera/frames.mjpeg" alt="what the camera sees" style="max-width: 96vw"><p id="figures">
<script>
new EventSource("/camera/figures").onmessage = (message) => {
    const {rate_hz, events} = JSON.parse(message.data)
    document.querySelector("#figures").textContent =
        `${(rate_hz / 1e6).toFixed(2)} million events a second, ${events.toLocaleString()} so far`
}
</script>"""


def service(name: str) -> FastAPI:
    """Return the application that shows this source."""
    app = FastAPI()
    stream = aevents.open(name)
    live = asgi.mount(app, stream if stream.endless else stream.paced(repeat=True), "/camera")
    app.mount("/metrics", Metrics(camera=live).app())

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE

    return app


if __name__ == "__main__":
    source, port = sys.argv[1:]
    uvicorn.run(service(source), port=int(port), timeout_graceful_shutdown=1)
