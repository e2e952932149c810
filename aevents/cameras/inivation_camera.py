"""An open camera of iniVation, through libcaer."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack

from aevents._native.wake import Wake
from aevents.cameras.inivation import MODELS
from aevents.cameras.inivation_settings import Settings
from aevents.cameras.libcaer import Handle
from aevents.cameras.libusb import UsbDevice
from aevents.cameras.usb_handle import check_answers
from aevents.codecs.caer import CaerDecoder, Item
from aevents.errors import DeviceLostError
from aevents.types import Sensor


class InivationCamera:
    """An open camera that streams; `kind` says what of."""

    def __init__(self, device: UsbDevice, kind: type, settings: Settings, /) -> None:
        family = MODELS[device.vendor, device.product]
        if family.question is not None:
            check_answers(device, family.question)  # libcaer would wait for ever
        self._wake = Wake()
        self._items: deque[Item] = deque()
        with ExitStack() as undoing:
            undoing.callback(self._wake.close)  # when libcaer has ended, and calls it no more
            self._handle = Handle(family.number, device.bus, device.address)
            undoing.callback(self._handle.close)
            about = self._handle.about(family.about)
            self.sensor: Sensor = Sensor(about.width, about.height, family.name, about.serial)
            self._decoder = CaerDecoder(self.sensor, kind=kind)
            self._handle.set_defaults()
            family.prepare(self._handle, about, settings)
            family.choose(self._handle, about, settings, kind)
            self._handle.start(self._wake)
            family.choose(self._handle, about, settings, kind)  # starting lets all come
            self._undoing = undoing.pop_all()

    @property
    def file(self) -> int:
        """Readable when something may have come."""
        return self._wake.file

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        counts = dict(self._decoder.counts)
        if overruns := self._handle.overruns:
            counts["queue_overruns"] = overruns
        return counts

    def take(self) -> Item | None:
        """Return what has come next; None if nothing has. Raises `DeviceLostError`."""
        while not self._items:
            self._wake.clear()
            last = self._wake.ended
            container = self._handle.take()
            if container is None:
                if last:
                    raise DeviceLostError(f"{self._handle.name}: unplugged, or its data stall")
                return None
            with container as packets:
                for packet in packets:
                    self._items.extend(self._decoder.feed(packet))
        return self._items.popleft()

    def close(self) -> None:
        """Stop it, and give it back; it blocks."""
        self._undoing.close()
