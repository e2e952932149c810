"""Transfers in flight: all that comes is taken, in order, and nothing is left in flight."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import pytest

from aevents import DeviceError, DeviceLostError
from aevents.cameras import transfers
from aevents.cameras.libusb import context, ffi, library
from aevents.cameras.transfers import Incoming, Polled, Threaded
from aevents.cameras.usb_handle import UsbHandle

CANCELLED, STALLED, GONE = 3, 4, 5
SIZE, COUNT = 4, 3

linux = pytest.mark.skipif(sys.platform != "linux", reason="epoll is of Linux")


class FakeUsb:
    """libusb, and a device that says what `say` is given; `file` is readable when it has."""

    def __init__(self) -> None:
        self.file, self._to = os.pipe()
        self.asked: deque[Any] = deque()
        self.ended: list[tuple[Any, int, bytes]] = []
        self.allocated: list[Any] = []
        self.freed = 0
        self.refusing = 0
        self.pollfds = ffi.new("const struct libusb_pollfd *[2]")
        self._fd = ffi.new("struct libusb_pollfd *", {"file": self.file, "events": select.POLLIN})
        self.pollfds[0] = self._fd
        self.lock = threading.Lock()

    def say(self, data: bytes = b"", status: int = 0) -> None:
        with self.lock:
            self.ended.append((self.asked.popleft(), status, data))
        os.write(self._to, b"1")

    def close(self) -> None:
        os.close(self.file)
        os.close(self._to)

    def libusb_get_pollfds(self, context: object) -> object:
        return self.pollfds

    def libusb_free_pollfds(self, files: object) -> None:
        assert files == self.pollfds

    def libusb_alloc_transfer(self, packets: int) -> object:
        self.allocated.append(ffi.new("struct libusb_transfer *"))
        return self.allocated[-1]

    def libusb_free_transfer(self, transfer: object) -> None:
        self.freed += 1

    def libusb_submit_transfer(self, transfer: object) -> int:
        if self.refusing:
            return self.refusing
        self.asked.append(transfer)
        return 0

    def libusb_cancel_transfer(self, transfer: object) -> int:
        if transfer in self.asked:
            self.asked.remove(transfer)
            self.ended.append((transfer, CANCELLED, b""))
        return 0

    def libusb_handle_events_timeout_completed(self, *_: object) -> int:
        select.select([self.file], [], [], 0.001)
        with self.lock:
            ended, self.ended = self.ended, []
        for transfer, status, data in ended:
            if select.select([self.file], [], [], 0)[0]:
                os.read(self.file, 1)
            ffi.memmove(transfer.buffer, data, len(data))
            transfer.status, transfer.actual_length = status, len(data)
            transfer.callback(transfer)
        return 0

    def libusb_error_name(self, code: int) -> object:
        return ffi.new("char[]", b"SOME_ERROR")


class FakeHandle:
    def __init__(self, usb: FakeUsb) -> None:
        self.usb, self.context, self.pointer = usb, ffi.NULL, ffi.NULL


@pytest.fixture(params=[pytest.param("polled", marks=linux), "threaded"])
def usb(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUsb]:
    if request.param == "threaded":
        monkeypatch.setattr(transfers, "Polled", refuse)
    library()  # cffi knows its types then
    fake = FakeUsb()
    yield fake
    fake.close()


def refuse(*_: object) -> None:
    raise OSError


def incoming(usb: FakeUsb) -> Incoming:
    return Incoming(cast("UsbHandle", FakeHandle(usb)), 0x81, SIZE, COUNT)


def awaited(source: Incoming) -> bytes:
    """Return what comes next, when the file says that something has."""
    while not (data := source.take()):
        assert select.select([source.file], [], [], 5)[0]
    return data


def test_all_comes_in_order(usb: FakeUsb) -> None:
    source = incoming(usb)
    assert len(usb.asked) == COUNT
    assert (usb.asked[0].endpoint, usb.asked[0].type, usb.asked[0].length) == (0x81, 2, SIZE)
    expected, found = b"", b""
    for start in range(0, 30, COUNT):
        for number in range(start, start + COUNT):
            usb.say(bytes([number] * (1 + number % SIZE)))
            expected += bytes([number] * (1 + number % SIZE))
        while len(found) < len(expected):
            found += awaited(source)
        assert len(usb.asked) == COUNT  # it is asked again
    assert found == expected
    assert source.take() == b""
    assert select.select([source.file], [], [], 0)[0] == []
    source.close()
    assert (len(usb.asked), usb.freed) == (0, COUNT)


def test_no_more_than_enough_is_taken_at_once(
    usb: FakeUsb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "MOST_BYTES", SIZE)
    source = incoming(usb)
    for number in range(COUNT):
        usb.say(bytes([number] * SIZE))
    pieces = [awaited(source) for _ in range(COUNT)]
    assert pieces == [bytes([number] * SIZE) for number in range(COUNT)]
    source.close()


@pytest.mark.parametrize(("status", "what"), [(STALLED, "stalls"), (GONE, "unplugged")])
def test_lost_it_gives_what_came_before(usb: FakeUsb, status: int, what: str) -> None:
    source = incoming(usb)
    usb.say(b"last")
    usb.refusing = -99
    for _ in range(COUNT - 1):
        usb.say(status=status)
    assert awaited(source) == b"last"
    with pytest.raises(DeviceLostError, match=what if usb.asked else f"{what}|SOME_ERROR"):
        awaited(source)
    source.close()
    assert usb.freed == COUNT


def test_a_device_that_cannot_be_asked_is_an_error(usb: FakeUsb) -> None:
    usb.refusing = -4
    with pytest.raises(DeviceError, match="cannot be asked for data: it is unplugged"):
        incoming(usb)
    assert (usb.freed, threading.active_count()) == (COUNT, 1)


@linux
def test_libusbs_own_files_are_waited_for_together() -> None:
    usb = library()
    with context(usb) as own:
        events = Polled(usb, own, set())
        events.work()
        assert select.select([events.file], [], [], 0)[0] == []
        usb.libusb_interrupt_event_handler(own)
        assert select.select([events.file], [], [], 5)[0] == [events.file]
        events.work()
        assert select.select([events.file], [], [], 0)[0] == []
        events.close()


def test_a_thread_lets_libusb_work_until_it_is_told_to_end() -> None:
    usb = library()
    with context(usb) as own:
        events = Threaded(usb, own, set())
        events.come()
        assert select.select([events.file], [], [], 5)[0] == [events.file]
        events.work()
        assert select.select([events.file], [], [], 0)[0] == []
        events.finish()
        events.close()
