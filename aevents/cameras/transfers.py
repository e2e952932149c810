"""Bulk transfers of libusb, many in flight, and a file that is readable when some have come.

Where the operating system can wait for libusb's files together, as Linux can by epoll, no thread is
needed: whoever takes what has come lets libusb work. Elsewhere a thread does.
"""

from __future__ import annotations

import select
import sys
import threading
from collections import deque
from contextlib import ExitStack
from typing import Any, Protocol

from aevents._native.wake import Wake
from aevents.cameras.libusb import check, ffi, problem
from aevents.cameras.usb_handle import UsbHandle
from aevents.errors import DeviceLostError

BULK = 2
MOST_BYTES = 1 << 17
"""So many bytes are taken at once, if they have come: more would keep the loop too long."""
STATUSES = {1: "a transfer failed", 2: "it timed out", 4: "it stalls", 5: "it is unplugged",
            6: "it sent more than was asked for"}  # fmt: skip
"""What `libusb_transfer_status` says; 0 is completed, 3 cancelled."""
CANCELLED = 3
PATIENCE_US = 100_000


class Events(Protocol):
    """What lets libusb work; `file` is readable when something may have come."""

    file: int

    def come(self) -> None:
        """Note that something has come; called while libusb works."""

    def work(self) -> None:
        """Let libusb do what is due, and `file` be unreadable until there is more."""

    def finish(self) -> None:
        """Let it work until nothing is in flight; it blocks."""

    def close(self) -> None:
        """Close the file."""


class Polled:
    """libusb's own files, in one file of epoll. Raises `OSError` where that cannot be had."""

    def __init__(self, usb: Any, context: object, flying: set[int], /) -> None:  # noqa: ANN401
        if sys.platform != "linux":
            raise OSError("there is no epoll")
        self._usb, self._context, self._flying = usb, context, flying
        self._epoll = select.epoll()
        files, index = usb.libusb_get_pollfds(context), 0
        try:
            while files[index] != ffi.NULL:
                self._epoll.register(files[index].file, files[index].events)
                index += 1
        except OSError:
            self._epoll.close()
            raise
        finally:
            usb.libusb_free_pollfds(files)
        self.file: int = self._epoll.fileno()

    def come(self) -> None:
        """Do nothing: who lets libusb work looks afterwards."""

    def work(self) -> None:
        """Let libusb do what is due."""
        self._handle(0)

    def finish(self) -> None:
        """Let it work until nothing is in flight."""
        while self._flying:
            self._handle(PATIENCE_US)

    def close(self) -> None:
        """Close the file."""
        self._epoll.close()

    def _handle(self, us: int) -> None:
        wait = ffi.new("struct timeval *", {"tv_usec": us})
        self._usb.libusb_handle_events_timeout_completed(self._context, wait, ffi.NULL)


class Threaded:
    """A thread in which libusb works while anything is in flight."""

    def __init__(self, usb: Any, context: object, flying: set[int], /) -> None:  # noqa: ANN401
        self._wake = Wake()
        self.file: int = self._wake.file
        self._come = ffi.cast("void (*)(void *)", self._wake.come)
        self._argument = ffi.cast("void *", self._wake.argument)
        self._ending = False
        self._thread = threading.Thread(
            target=self._run, args=(usb, context, flying), name="aevents-usb", daemon=True
        )
        self._thread.start()

    def come(self) -> None:
        """Make the file readable."""
        self._come(self._argument)

    def work(self) -> None:
        """Make the file unreadable."""
        self._wake.clear()

    def finish(self) -> None:
        """Wait until nothing is in flight."""
        self._ending = True
        self._thread.join()

    def close(self) -> None:
        """Close the file."""
        self._wake.close()

    def _run(self, usb: Any, context: object, flying: set[int]) -> None:  # noqa: ANN401
        wait = ffi.new("struct timeval *", {"tv_usec": PATIENCE_US})
        while flying or not self._ending:
            usb.libusb_handle_events_timeout_completed(context, wait, ffi.NULL)


class Incoming:
    """What comes in at an endpoint, for which `count` transfers of `size` bytes always ask.

    Raises `DeviceError` when the device does not even let itself be asked.
    """

    def __init__(self, device: UsbHandle, endpoint: int, size: int, count: int, /) -> None:
        self._usb = device.usb
        self._done: deque[Any] = deque()
        self._flying: set[int] = set()
        self._lost = ""
        self._callback: Any = ffi.callback("void (struct libusb_transfer *)", self._came)
        self._memory: Any = ffi.new("unsigned char[]", size * count)
        self._events: Events = self._waited_for(device)
        self._transfers = [self._usb.libusb_alloc_transfer(0) for _ in range(count)]
        with ExitStack() as undoing:
            undoing.callback(self.close)
            for index, transfer in enumerate(self._transfers):
                transfer.handle, transfer.endpoint, transfer.type = device.pointer, endpoint, BULK
                transfer.buffer, transfer.length = self._memory + index * size, size
                transfer.callback = self._callback
                transfer.user = ffi.cast("void *", index)
                check(self._usb, self._ask(transfer), "it cannot be asked for data")
            undoing.pop_all()

    @property
    def file(self) -> int:
        """Readable when something may have come."""
        return self._events.file

    def take(self) -> bytes:
        """Return what has come next; nothing if nothing has. Raises `DeviceLostError`."""
        if not self._done:
            self._events.work()
        pieces, size = [], 0
        while self._done and size < MOST_BYTES:
            transfer = self._done.popleft()
            pieces.append(bytes(ffi.buffer(transfer.buffer, transfer.actual_length)))
            size += len(pieces[-1])
            code = self._ask(transfer)
            if code < 0:
                self._lost = self._lost or problem(self._usb, code)
        if not size and self._lost:
            raise DeviceLostError(self._lost)
        return b"".join(pieces)

    def close(self) -> None:
        """Ask for nothing any more, and free everything; it blocks."""
        for transfer in self._transfers:
            self._usb.libusb_cancel_transfer(transfer)
        self._events.finish()
        self._events.close()
        for transfer in self._transfers:
            self._usb.libusb_free_transfer(transfer)
        self._callback = self._memory = None  # which would else wait for the garbage collector

    def _waited_for(self, device: UsbHandle) -> Events:
        try:
            return Polled(self._usb, device.context, self._flying)
        except OSError:
            return Threaded(self._usb, device.context, self._flying)

    def _ask(self, transfer: Any) -> int:  # noqa: ANN401
        index = int(ffi.cast("uintptr_t", transfer.user))
        self._flying.add(index)
        code = int(self._usb.libusb_submit_transfer(transfer))
        if code < 0:
            self._flying.discard(index)
        return code

    def _came(self, transfer: Any) -> None:  # noqa: ANN401
        """Take note of a transfer that has ended, perhaps in a thread."""
        if transfer.status in STATUSES:
            self._lost = self._lost or STATUSES[transfer.status]
        elif transfer.status != CANCELLED:
            self._done.append(transfer)
        self._flying.discard(int(ffi.cast("uintptr_t", transfer.user)))
        self._events.come()
