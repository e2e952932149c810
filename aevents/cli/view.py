"""`aevents view`: recordings and live sources in a browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import anyio
import anyio.to_thread
from cyclopts import Parameter

from aevents import _pictures, registry
from aevents._named import named
from aevents.cli import ending
from aevents.cli.reading import Input, Name
from aevents.junctions.infer import Given
from aevents.sources.video import SUFFIXES
from aevents.stream import Stream
from aevents.types import EventBatch, Frame
from aevents.viewer.asking import Asker
from aevents.viewer.camera import CameraShow
from aevents.viewer.folder import Folder
from aevents.viewer.live import LiveShow
from aevents.viewer.player import RecordingShow
from aevents.viewer.recorder import Recorder
from aevents.viewer.serve import Served
from aevents.viewer.server import Place
from aevents.viewer.shows import Show

Item = EventBatch | Frame

WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY")
"""One of these is set where there are windows."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where the page is.

    Parameters
    ----------
    folder
        Where recordings are written, and where the page can open recordings from.
    host
        The address to listen on. Others than this machine need a token, which the printed address
        has, and --certificate and --key, or --insecure.
    port
        The port; unless given, 8000 or the next that is free.
    no_browser
        Do not open the page in a browser.
    certificate
        A file with a certificate for TLS, and those above it.
    key
        A file with its key.
    insecure
        Let others than this machine come without TLS.
    model
        A model that the page can ask, as module:function, as often as you like: it gets the count
        of events of each pixel, as a frame. A table with `boxes` and `labels` is drawn.
    """

    folder: Path = Path()
    host: str = "127.0.0.1"
    port: int | None = None
    no_browser: bool = False
    certificate: Path | None = None
    key: Path | None = None
    insecure: bool = False
    model: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where to listen. Raises `ValueError`."""
        certificate = str(self.certificate) if self.certificate else None
        key = str(self.key) if self.key else None
        return Place(self.host, self.port, certificate, key, self.insecure)


def view(
    *sources: Annotated[Name, Parameter(name="SRC")],
    serving: Serving = Serving(),  # frozen
    given: Input = Input(),  # noqa: B008  # frozen
) -> None:
    """Show sources on a page in the browser, until Ctrl-C.

    Recordings play, stand still, step, and go to any time; live sources can be recorded.

    Parameters
    ----------
    sources
        Paths, - for standard input, or URLs such as usb: or synthetic:disk; side by side.
    """
    ending.run(partial(_view, sources, serving, given))


async def _view(sources: tuple[str, ...], serving: Serving, given: Input) -> None:
    suffixes = {*SUFFIXES, *(one for codec in registry.codecs() for one in codec.suffixes)}
    folder = await anyio.to_thread.run_sync(Folder, serving.folder, suffixes)
    models = await anyio.to_thread.run_sync(_models, serving.model)

    def make(number: int, name: str) -> Show:
        show = show_of(number, name, given, folder.path)
        show.asker = Asker(show, models)
        return show

    shows = [make(number, name) for number, name in enumerate(sources)]
    served = Served(serving.place, folder, make)
    async with served.running(shows) as url:
        sys.stderr.write(f"aevents: watch at {url}, end with Ctrl-C\n")
        if not serving.no_browser:
            await anyio.to_thread.run_sync(_browse, url, abandon_on_cancel=True)
        await anyio.sleep_forever()


def _browse(url: str) -> None:
    """Open a page, where there are windows: in a terminal a browser would take all of that."""
    if sys.platform in ("win32", "darwin") or {*WINDOWS} & {*os.environ}:
        webbrowser.open(url)


def show_of(number: int, name: str, given: Input, folder: Path | None = None) -> Show:
    """Return the show of what a name stands for: live where it comes by itself. Raises what opening
    raises, and `FileNotFoundError` for a path that is not there.
    """
    scheme = registry.split_url(name)[0]
    path = Path(name)
    if not scheme and name != "-" and not path.exists():
        raise FileNotFoundError(2, "No such file or directory", name)
    open = partial(_opened, name, given)
    stream = open()
    if not (stream.endless or name == "-" or path.is_fifo()):
        return RecordingShow(number, name if scheme else path.name, name, open)
    recorder = Recorder(folder, registry.create) if folder else None
    if scheme == "usb":
        rest, options = registry.split_url(name)[1:]
        return CameraShow(number, name, partial(_camera, rest), options, recorder)
    if scheme == "synthetic":
        return LiveShow(number, name, name, lambda: open().paced(), recorder)
    return LiveShow(number, name, name, open, recorder)


def _camera(rest: str, options: Mapping[str, str]) -> Stream[Item]:
    stream = registry.open(f"usb:{rest}", **cast("Mapping[str, Any]", options))
    return cast("Stream[Item]", stream)


def _models(names: Sequence[str]) -> Mapping[str, Given]:
    """Return models by the names of their functions; modules in this folder are found, as by a
    script. It blocks, and raises what importing raises.
    """
    if names:
        sys.path.insert(0, str(Path.cwd()))
    return {name.rpartition(":")[2]: cast("Given", named(name)) for name in names}


def _opened(name: str, given: Input) -> Stream[Item]:
    frames = _pictures.source_of(Path(name), EventBatch) is not None
    kind = Frame if frames and not registry.split_url(name)[0] else EventBatch
    return cast("Stream[Item]", given.opened(name, kind))
