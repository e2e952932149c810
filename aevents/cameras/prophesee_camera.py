"""An open camera of Prophesee, with the sensor IMX636."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, suppress

from aevents.cameras.imx636 import ELSEWHERE, HEIGHT, WIDTH, Imx636, Settings
from aevents.cameras.libusb import UsbDevice
from aevents.cameras.prophesee import NAMES
from aevents.cameras.transfers import Incoming
from aevents.cameras.treuzell import Treuzell
from aevents.cameras.usb_handle import UsbHandle
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.header import write_header
from aevents.codecs.raw import raw_lines
from aevents.errors import DeviceError, DeviceLostError
from aevents.types import EventBatch, Sensor, TriggerBatch

INTERFACE = (0xFF, 0x19)
ENDPOINTS = 3
"""For answers, for questions, and for data."""
SENSOR = "imx636"
OLDEST, OLDEST_NAME = 0x030800, "3.8.0"
"""Of firmware, for Prophesee's software too."""


class PropheseeCamera:
    """An open camera that streams; `kind` says what of."""

    def __init__(self, device: UsbDevice, kind: type, settings: Settings, /) -> None:
        self._kind = kind
        self._items: deque[EventBatch | TriggerBatch] = deque()
        asked = issubclass(TriggerBatch, kind) if settings.triggers is None else settings.triggers
        with ExitStack() as undoing:
            usb = UsbHandle(device, INTERFACE)
            undoing.callback(usb.close)
            answers, questions, data = _endpoints(usb)
            board = Treuzell(usb, answers, questions)
            chip = Imx636(board, _sensor_of(board))
            name = NAMES[device.vendor, device.product]
            self.sensor: Sensor = Sensor(WIDTH, HEIGHT, name, board.serial)
            self._decoder = _decoder(self.sensor)
            undoing.callback(_end, chip)
            chip.begin()
            chip.configure(settings, edges=asked)
            usb.reset(data)
            self._incoming = Incoming(usb, data, settings.transfer_bytes, settings.transfers)
            undoing.callback(self._incoming.close)
            chip.start()
            self._undoing = undoing.pop_all()

    @property
    def file(self) -> int:
        """Readable when something may have come."""
        return self._incoming.file

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name."""
        return dict(self._decoder.counts)

    def take(self) -> EventBatch | TriggerBatch | None:
        """Return what has come next; None if nothing has. Raises `DeviceLostError`."""
        while not self._items:
            try:
                data = self._incoming.take()
            except DeviceLostError as error:
                raise DeviceLostError(f"{self.sensor.name} {self.sensor.serial}: {error}") from None
            if not data:
                return None
            items = self._decoder.feed(data)
            self._items.extend(item for item in items if isinstance(item, self._kind))
        return self._items.popleft()

    def close(self) -> None:
        """Stop it, and give it back; it blocks."""
        self._undoing.close()


def _endpoints(usb: UsbHandle) -> tuple[int, ...]:
    if len(usb.interface.endpoints) != ENDPOINTS:
        raise DeviceError("its interface is not that of a camera of Prophesee")
    return usb.interface.endpoints


def _sensor_of(board: Treuzell) -> int:
    """Return the number of the sensor on a board. Raises `DeviceError` where there is none."""
    version = board.version & 0xFFFFFF
    if version < OLDEST:
        told = ".".join(str(part) for part in version.to_bytes(3, "big"))
        raise DeviceError(f"its firmware is {told}; {OLDEST_NAME} is the oldest that is served")
    devices = board.devices()
    for number, names in enumerate(devices):
        if any(SENSOR in name for name in names):
            return number
    found = ", ".join(name for names in devices for name in names)
    told = f"it has no IMX636, but {found or 'nothing that says its name'}"
    raise DeviceError(f"{told}; {ELSEWHERE}")


def _decoder(sensor: Sensor) -> Evt3Decoder:
    decoder = Evt3Decoder(sensor=sensor)
    decoder.hurry()  # what a camera says is wanted at once
    for _ in decoder.feed(write_header(raw_lines("EVT3", "3.0", sensor))):
        pass  # there are no words yet
    return decoder


def _end(chip: Imx636) -> None:
    with suppress(DeviceError):  # it is gone, or refuses
        chip.end()
