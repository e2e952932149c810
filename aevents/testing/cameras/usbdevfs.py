"""What a host asks of a device through Linux's files, as linux/usbdevice_fs.h has it, and how a
model answers. The memory of the host is reached through umockdev.
"""

from __future__ import annotations

import errno
import struct
from collections import deque
from functools import cache
from typing import Any

from cffi import FFI

from aevents.testing.cameras.usb import IN, Setup, Silence, Stall, UsbModel

DECLARATIONS = """
typedef struct _GError { uint32_t domain; int code; char *message; } GError;
typedef struct { void *class_; unsigned references; void *data; } GObject;
typedef struct {
    GObject parent; uint8_t *data; int data_len; unsigned long client_addr; void *private_;
} UMockdevIoctlData;
void *umockdev_testbed_new(void);
char *umockdev_testbed_get_root_dir(void *bed);
int umockdev_testbed_add_from_string(void *bed, const char *description, GError **error);
void *umockdev_ioctl_base_new(void);
int umockdev_testbed_attach_ioctl(void *bed, const char *node, void *base, GError **error);
void umockdev_testbed_uevent(void *bed, const char *device, const char *action);
unsigned long umockdev_ioctl_client_get_request(void *client);
UMockdevIoctlData *umockdev_ioctl_client_get_arg(void *client);
void umockdev_ioctl_client_complete(void *client, long result, int error);
UMockdevIoctlData *umockdev_ioctl_data_resolve(
    UMockdevIoctlData *data, size_t offset, size_t length, GError **error);
int umockdev_ioctl_data_set_ptr(UMockdevIoctlData *data, size_t offset, UMockdevIoctlData *to);
unsigned long g_signal_connect_data(
    void *object, const char *signal, void (*)(void), void *user, void *destroy, int flags);
void g_object_weak_ref(void *object, void (*notify)(void *, void *), void *user);
void g_object_unref(void *object);
void g_free(void *memory);
"""
URB_BYTES, URB_STATUS, URB_BUFFER, URB_LENGTH, URB_MOVED = 56, 4, 16, 24, 28
"""A request: its type and endpoint, a byte each, and where the rest is."""
CONTROL, BULK = 2, 3
SETUP = struct.Struct("<BBHHH")
CAPABILITIES = 1 | 4 | 8
"""Packets after zero-length ones, no limit of continuations, reaping after a disconnection."""


def _number(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("U") << 8 | number


SUBMIT, DISCARD = _number(2, 10, URB_BYTES), _number(0, 11, 0)
REAP, REAP_NOW = _number(1, 12, 8), _number(1, 13, 8)
CLAIM, RELEASE, CLAIM_FROM_DRIVER = _number(2, 15, 4), _number(2, 16, 4), _number(2, 27, 264)
GET_DRIVER, GET_CAPABILITIES = _number(1, 8, 260), _number(2, 26, 4)
NOTHING_TO_DO = {
    _number(2, 4, 8), _number(2, 5, 4), _number(3, 18, 16), _number(0, 20, 0), _number(2, 21, 4),
    _number(2, 3, 4),
}  # fmt: skip
"""Setting the interface, the configuration; drivers of the kernel; resets."""


@cache
def libraries() -> tuple[FFI, Any, Any]:
    """Return cffi's door, umockdev and GObject. Raises `OSError` if they are not installed."""
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    return ffi, ffi.dlopen("libumockdev.so.0"), ffi.dlopen("libgobject-2.0.so.0")


class Urb:
    """A request of the host that waits, with its memory."""

    def __init__(self, about: Any, memory: Any, length: int) -> None:  # noqa: ANN401
        self.memory = memory
        self.memories: tuple[Any, Any] = (about, memory)
        self.place: int = about.client_addr
        ffi = libraries()[0]
        self._fields = ffi.buffer(about.data, URB_BYTES)
        self.type: int = self._fields[0][0]
        self.endpoint: int = self._fields[1][0]
        self.length: int = length

    def complete(self, status: int, moved: int) -> None:
        """Write how it went, and how many bytes were moved."""
        struct.pack_into("<i", self._fields, URB_STATUS, status)
        struct.pack_into("<i", self._fields, URB_MOVED, moved)


class Host:
    """A program that has opened the device: what it has asked for, and what is done of that."""

    def __init__(self, model: UsbModel) -> None:
        self._model = model
        self._waiting: list[Urb] = []
        self._done: deque[Urb] = deque()
        self._spent: list[Any] = []
        self._ffi, self._umockdev, self._gobject = libraries()

    @property
    def ready(self) -> bool:
        """Whether something can be reaped."""
        return bool(self._done)

    def submit(self, data: Any) -> int:  # noqa: ANN401
        """Take a request: of control and towards the device it is done at once."""
        about = self._resolve(data, 0, URB_BYTES)
        fields = self._ffi.buffer(about.data, URB_BYTES)
        (length,) = struct.unpack_from("<i", fields, URB_LENGTH)
        memory = self._resolve(about, URB_BUFFER, length) if length else self._ffi.NULL
        urb = Urb(about, memory, length)
        if urb.type != CONTROL and urb.endpoint & IN:
            self._waiting.append(urb)
            return 0
        content = self._ffi.buffer(memory.data, length) if length else bytearray()
        try:
            moved = self._control(content) if urb.type == CONTROL else self._out(urb, content)
            urb.complete(0, moved)
        except Stall:
            urb.complete(-errno.EPIPE, 0)
        except Silence:
            self._waiting.append(urb)
            return 0
        self._done.append(urb)
        return 0

    def discard(self, data: Any) -> int:  # noqa: ANN401
        """Give a request back undone."""
        place = data.client_addr
        if data.data_len == self._ffi.sizeof("void *"):
            place = int.from_bytes(self._ffi.buffer(data.data, data.data_len), "little")
        for urb in self._waiting:
            if urb.place == place:
                self._waiting.remove(urb)
                urb.complete(-errno.ENOENT, 0)
                self._done.append(urb)
                return 0
        return errno.EINVAL

    def reap(self, data: Any, *, gone: bool) -> int:  # noqa: ANN401
        """Give back a request that is done."""
        if gone:
            for urb in self._waiting:
                urb.complete(-errno.ESHUTDOWN, 0)
            self._done.extend(self._waiting)
            self._waiting.clear()
        self.fill()
        if not self._done:
            return errno.ENODEV if gone else errno.EAGAIN
        to = self._resolve(data, 0, self._ffi.sizeof("void *"))
        urb = self._done.popleft()
        self._umockdev.umockdev_ioctl_data_set_ptr(to, 0, urb.memories[0])
        self._spent += [to, *urb.memories]
        return 0

    def tell_capabilities(self, data: Any) -> int:  # noqa: ANN401
        """Write what the bus can do."""
        to = self._resolve(data, 0, 4)
        self._ffi.buffer(to.data, 4)[:] = struct.pack("<I", CAPABILITIES)
        self._spent.append(to)
        return 0

    def free_spent(self) -> None:
        """Free what the host has got back: not before it has."""
        for memory in self._spent:
            if memory != self._ffi.NULL:
                self._gobject.g_object_unref(memory)
        self._spent.clear()

    def forget(self) -> None:
        """Free what was asked for, for nobody will get it."""
        self._spent += [each for urb in (*self._waiting, *self._done) for each in urb.memories]
        self._waiting.clear()
        self._done.clear()
        self.free_spent()

    def _resolve(self, data: Any, offset: int, length: int) -> Any:  # noqa: ANN401
        """Return memory of the host's. Raises `BrokenPipeError` if the host is no more."""
        memory = self._umockdev.umockdev_ioctl_data_resolve(data, offset, length, self._ffi.NULL)
        if memory == self._ffi.NULL:
            raise BrokenPipeError(errno.EPIPE, "the host is gone")
        return memory

    def fill(self) -> None:
        """Let the device send something, to the first that waits at an endpoint, if nothing is done
        yet.
        """
        silent = set()
        for urb in () if self._done else self._waiting:
            if urb.endpoint in silent or not self._fill_one(urb):
                silent.add(urb.endpoint)
                continue
            self._waiting.remove(urb)
            self._done.append(urb)
            return

    def _fill_one(self, urb: Urb) -> bool:
        """Let the device send something for a request; return whether it has."""
        try:
            data = self._model.send(urb.endpoint, urb.length)
        except Stall:
            urb.complete(-errno.EPIPE, 0)
            return True
        if data is not None:
            self._ffi.memmove(urb.memory.data, data, len(data))
            urb.complete(0, len(data))
        return data is not None

    def _control(self, content: Any) -> int:  # noqa: ANN401
        setup = Setup(*SETUP.unpack_from(content))
        rest = SETUP.size
        if not setup.type & IN:
            self._model.control(setup, bytes(content[rest : rest + setup.length]))
            return setup.length
        answer = self._model.control(setup, b"")[: setup.length]
        content[rest : rest + len(answer)] = answer
        return len(answer)

    def _out(self, urb: Urb, content: Any) -> int:  # noqa: ANN401
        self._model.receive(urb.endpoint, bytes(content))
        return urb.length
