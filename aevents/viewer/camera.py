"""A camera as a show: live, and its biases and its region can be set from the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio

from aevents.cameras.knobs import KNOBS, WITH_REGION
from aevents.cameras.settings import check_roi
from aevents.stream import Stream
from aevents.viewer.live import LiveShow
from aevents.viewer.messages import Knob
from aevents.viewer.recorder import Item, Recorder
from aevents.viewer.shows import RefusedError

CALM_SECONDS = 0.3
"""A camera is opened anew when nothing more has been set for so long."""

Options = Mapping[str, str]


class CameraShow(LiveShow):
    """A camera. What is set has it opened anew, as that is how each driver takes its options: its
    times begin anew too, and so nothing is set while it is recorded.

    `open` takes options as they stand in the URL.
    """

    def __init__(
        self,
        id: int,
        name: str,
        open: Callable[[Options], Stream[Item]],
        options: Options,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(id, name, name, lambda: open(self._options), recorder)
        self._options: Options = options
        self._model = ""
        self._stirred = anyio.Event()
        said = (pair.partition(":") for pair in options.get("biases", "").split(",") if pair)
        self._biases: dict[str, str] = {bias: value for bias, _, value in said}

    @property
    def biases(self) -> Mapping[str, Knob]:
        """The biases that a person turns, once the camera has said what it is."""
        ranges = KNOBS.get(self._model, {})
        said = {name: value for name, value in self._biases.items() if value.lstrip("-").isdigit()}
        return {
            name: Knob(int(said.get(name, one.usual)), one.min, one.max)
            for name, one in ranges.items()
        }

    @property
    def roi(self) -> bool:
        """Whether it can send a region only, once it has said what it is."""
        return self._model in WITH_REGION

    def put(self, item: Item) -> None:
        """Show this too, and learn from it what camera it is."""
        if item.sensor.name != self._model:
            self._model = item.sensor.name
            self.changed()
        super().put(item)

    async def run(self) -> None:
        """Read it until cancelled, anew whenever something was set."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._reopen)
            await super().run()

    async def set_bias(self, name: str, value: int) -> None:
        """Set a bias. Raises `RefusedError` for one that it has not, and out of its range."""
        knob = self.biases.get(name)
        if knob is None:
            raise RefusedError(f"{self.name} has no bias {name} that can be set")
        if not knob.min <= value <= knob.max:
            raise RefusedError(f"{name} is from {knob.min} to {knob.max}, not {value}")
        self._refuse_while_recording()
        self._biases[name] = str(value)
        self._set("biases", ",".join(f"{one}:{to}" for one, to in self._biases.items()))

    async def set_roi(self, roi: tuple[int, int, int, int]) -> None:
        """Have it send a region only. Raises `RefusedError` where it cannot, and `ValueError` for
        what is not on its sensor.
        """
        if not self.roi:
            raise RefusedError(f"{self.name} has no region that can be set")
        check_roi(roi, self.sensor.width, self.sensor.height)
        self._refuse_while_recording()
        self._set("roi", "{},{},{}x{}".format(*roi))

    def _set(self, option: str, value: str) -> None:
        self._options = {**self._options, option: value}
        self.changed()
        self._stirred.set()

    async def _reopen(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred = anyio.Event()
            await anyio.sleep(CALM_SECONDS)
            if not self._stirred.is_set():
                self.reopen()

    def _refuse_while_recording(self) -> None:
        if self.recording is not None:
            raise RefusedError("end the recording first: setting this opens the camera anew")
