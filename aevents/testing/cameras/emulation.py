"""Emulated cameras for the process that asks for them: the bus is in a process beside it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aevents.testing.cameras.inivation import InivationModel
from aevents.testing.cameras.prophesee import EVK4
from aevents.testing.cameras.umockdev import Bus

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

FOLDER = "UMOCKDEV_DIR"
CameraModel = InivationModel | EVK4
PRELOADED = "libumockdev-preload"
START: SpawnContext | ForkServerContext = multiprocessing.get_context("spawn")
"""How the process of the bus is started."""
DEADLINE = 10
"""Seconds that the process of the bus may take to answer."""


class EmulatedCameras:
    """Cameras on an emulated bus, each by its place in the call of `emulated`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def plug(self, camera: int = 0) -> None:
        """Plug a camera in again, at another address."""
        self._ask("plug", camera)

    def unplug(self, camera: int = 0) -> None:
        """Pull a camera out."""
        self._ask("unplug", camera)

    def forbid(self, camera: int = 0) -> None:
        """Take the rights to use a camera away, from all but root."""
        self._ask("forbid", camera)

    def registers(self, camera: int = 0) -> dict[tuple[int, int], int]:
        """Return the parameters of a camera, as the host has set them, by module or device, and
        number.
        """
        found: dict[tuple[int, int], int] = self._ask("registers", camera)
        return found

    def _ask(self, what: str, camera: int) -> Any:  # noqa: ANN401  # each answer has its type
        self._pipe.send((what, camera))
        return _answer(self._pipe)


@contextmanager
def emulated(*models: CameraModel) -> Iterator[EmulatedCameras]:
    """Plug these models into an emulated bus, which is all that this process sees of USB meanwhile.

    The process must have been started by `umockdev-wrapper`, or with `preloaded()` as environment;
    `RuntimeError` says so if not. The models are played in a process of their own, so that they are
    pickled. Raises `OSError` where umockdev is not installed.
    """
    if PRELOADED not in os.environ.get("LD_PRELOAD", ""):
        raise RuntimeError("emulated cameras are seen by programs that umockdev-wrapper starts")
    here, there = START.Pipe()
    process = START.Process(target=_serve, args=(models, there), daemon=True)
    process.start()
    there.close()
    before = os.environ.get(FOLDER)
    try:
        os.environ[FOLDER] = _answer(here)
        yield EmulatedCameras(here)
    finally:
        os.environ.pop(FOLDER, None)
        if before is not None:
            os.environ[FOLDER] = before
        here.close()  # which ends it
        process.join(DEADLINE)
        process.kill()


def preloaded() -> dict[str, str]:
    """Return the environment in which to start a program that shall see emulated cameras."""
    return {**os.environ, "LD_PRELOAD": f"{PRELOADED}.so.0"}


def _answer(pipe: Connection) -> Any:  # noqa: ANN401
    if not pipe.poll(DEADLINE):
        raise TimeoutError("the process of the emulated cameras does not answer")
    answer = pipe.recv()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(models: Sequence[CameraModel], pipe: Connection) -> None:
    """Have a bus with these models, and do what is asked, until nobody is there to ask."""
    try:
        bus = Bus()
        nodes = [bus.plug(model) for model in models]
    except OSError as error:
        pipe.send(error)
        return
    pipe.send(bus.folder)
    with suppress(EOFError):
        while True:
            what, camera = pipe.recv()
            model, answer = models[camera], None
            if what == "plug":
                nodes[camera] = bus.plug(model)
            elif what == "unplug":
                bus.unplug(model)
            elif what == "forbid":
                _forbid(Path(bus.folder), nodes[camera])
            else:
                answer = model.registers
            pipe.send(answer)
    bus.close()


def _forbid(folder: Path, node: str) -> None:
    for path in (folder, *(folder / "ioctl").rglob("*")):
        path.chmod(0o777)  # umockdev's own sockets, which others than root may need too
    Path(f"{folder}{node}").chmod(0)
