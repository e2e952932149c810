"""Models on an emulated bus of Linux: real libusb, and every driver on top of that, sees them.

umockdev has a folder in place of /dev and /sys, for the processes that run under `umockdev-wrapper`
and have `UMOCKDEV_DIR` in their environment; it hands us the calls of `ioctl` on the files in it,
as linux/usbdevice_fs.h has them. Its threads call us.
"""

from __future__ import annotations

import errno
import struct
import time
from collections import deque
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cffi import FFI

from aevents.testing.cameras.usb import IN, Setup, Stall, UsbModel

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
void g_object_unref(void *object);
void g_free(void *memory);
"""
URB_BYTES, URB_STATUS, URB_BUFFER, URB_LENGTH, URB_MOVED = 56, 4, 16, 24, 28
"""A request: its type and endpoint, a byte each, and where the rest is."""
CONTROL, BULK = 2, 3
SETUP = struct.Struct("<BBHHH")
CAPABILITIES = 1 | 4 | 8
"""Packets after zero-length ones, no limit of continuations, reaping after a disconnection."""
DEVICES = "/sys/bus/usb/devices"
IDLE_SECONDS = 0.0005
"""A file that is no device is always ready, so a host asks again at once: it waits here."""


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


class Bus:
    """An emulated bus with the models that are plugged in; `folder` is what UMOCKDEV_DIR must be.

    Closing it removes the folder. Raises `OSError` where umockdev is not installed.
    """

    def __init__(self) -> None:
        self._ffi, self._umockdev, self._gobject = libraries()
        self._bed = self._umockdev.umockdev_testbed_new()
        folder = self._umockdev.umockdev_testbed_get_root_dir(self._bed)
        self.folder: str = self._ffi.string(folder).decode()
        self._gobject.g_free(folder)
        self._addresses = 1
        self._plugs: list[_Plug] = []

    def plug(self, model: UsbModel, /) -> str:
        """Plug a model in; return the path of its node below /dev."""
        self._addresses += 1
        plug = _Plug(model, self._addresses)
        base = self._umockdev.umockdev_ioctl_base_new()
        plug.listen(base)
        self._plugs.append(plug)
        self._check(self._umockdev.umockdev_testbed_add_from_string, plug.description.encode())
        self._check(self._umockdev.umockdev_testbed_attach_ioctl, plug.node.encode(), base)
        self._umockdev.umockdev_testbed_uevent(self._bed, plug.path.encode(), b"add")
        return plug.node

    def unplug(self, model: UsbModel, /) -> None:
        """Pull a model out: what the host waits for fails, and it is told so."""
        plug = next(one for one in self._plugs if one.model is model)
        plug.gone = True
        self._umockdev.umockdev_testbed_uevent(self._bed, plug.path.encode(), b"remove")
        for path in (plug.node, f"{DEVICES}/{Path(plug.path).name}"):
            Path(self.folder + path).unlink()  # the rest stays for hosts that have it open
        self._plugs.remove(plug)

    def close(self) -> None:
        """Remove everything."""
        self._gobject.g_object_unref(self._bed)

    def _check(self, call: Callable[..., int], *arguments: object) -> None:
        error = self._ffi.new("GError **")
        if not call(self._bed, *arguments, error):
            raise OSError(self._ffi.string(error[0].message).decode())


class _Plug:
    """A model at its place on the bus, and the hosts that have opened it."""

    def __init__(self, model: UsbModel, address: int) -> None:
        self.model = model
        self.gone = False
        self.node = f"/dev/bus/usb/001/{address:03d}"
        self.path = f"/sys/devices/pci0000:00/0000:00:14.0/usb1/1-{address}"
        self._address = address
        self._hosts: dict[int, _Host] = {}
        self._claimed: _Host | None = None
        self._ffi, self._umockdev, self._gobject = libraries()
        self._callbacks: list[object] = []

    @property
    def description(self) -> str:
        """What umockdev is told of the device."""
        model, address = self.model, self._address
        blob = (model.device_descriptor + model.configuration_descriptor).hex().upper()
        about = f"{model.vendor:x}/{model.product:x}/{model.version:x}"
        return "\n".join(
            [
                f"P: {self.path.removeprefix('/sys')}",
                f"N: {self.node.removeprefix('/dev/')}={blob}",
                *(
                    f"E: {name}={value}"
                    for name, value in {
                        "BUSNUM": "001", "DEVNUM": f"{address:03d}", "DEVNAME": self.node,
                        "DEVTYPE": "usb_device", "DRIVER": "usb", "SUBSYSTEM": "usb",
                        "PRODUCT": about, "MAJOR": 189, "MINOR": address - 1,
                    }.items()
                ),
                *(
                    f"A: {name}={value}\\n"
                    for name, value in {
                        "busnum": 1, "devnum": address, "speed": 5000, "bConfigurationValue": 1,
                        "idVendor": f"{model.vendor:04x}", "idProduct": f"{model.product:04x}",
                        "bcdDevice": f"{model.version:04x}", "serial": model.serial,
                    }.items()
                ),
                f"H: descriptors={blob}",
                "\n",
            ]
        )  # fmt: skip

    def listen(self, base: object) -> None:
        """Let umockdev hand us what is asked of the device's node."""
        signals = {
            "handle-ioctl": ("int (*)(void *, void *, void *)", self._asked),
            "client-connected": ("void (*)(void *, void *, void *)", self._come),
        }
        for signal, (type, call) in signals.items():
            callback = self._ffi.callback(type, call)
            self._callbacks.append(callback)
            function = self._ffi.cast("void (*)(void)", callback)
            null = self._ffi.NULL
            self._gobject.g_signal_connect_data(base, signal.encode(), function, null, null, 0)

    def _asked(self, _base: object, client: object, _user: object) -> int:
        host = self._hosts[self._key(client)]
        request = self._umockdev.umockdev_ioctl_client_get_request(client) & 0xFFFFFFFF
        data = self._umockdev.umockdev_ioctl_client_get_arg(client)
        try:
            error = self._answer(host, request, data)
        except BrokenPipeError as left:
            error = left.errno
        self._umockdev.umockdev_ioctl_client_complete(client, -1 if error else 0, error)
        host.free_spent()
        return 1

    def _answer(self, host: _Host, request: int, data: Any) -> int:  # noqa: ANN401  # cffi's
        """Do what is asked; return the number of the error, or 0."""
        if request in (REAP, REAP_NOW):
            return host.reap(data, gone=self.gone)
        if self.gone and request not in (RELEASE, DISCARD):
            return errno.ENODEV
        if request == SUBMIT:
            return host.submit(data)
        if request == DISCARD:
            return host.discard(data)
        if request in (CLAIM, CLAIM_FROM_DRIVER):
            return self._claim(host)
        if request == RELEASE:
            self._claimed = None if self._claimed is host else self._claimed
        elif request == GET_CAPABILITIES:
            host.write(data, struct.pack("<I", CAPABILITIES))
        elif request not in NOTHING_TO_DO:
            return errno.ENODATA if request == GET_DRIVER else errno.ENOTTY
        return 0

    def _claim(self, host: _Host) -> int:
        if self._claimed not in (None, host):
            return errno.EBUSY
        self._claimed = host
        return 0

    def _come(self, _base: object, client: object, _user: object) -> None:
        """Take note of a host; there may have been one at its place of memory, which has gone."""
        before = self._hosts.pop(self._key(client), None)
        if before is not None:
            before.forget()
        self._hosts[self._key(client)] = _Host(self.model)

    def _key(self, client: object) -> int:
        return int(self._ffi.cast("uintptr_t", client))


class _Urb:
    """A request of the host that waits, with its memory."""

    def __init__(self, about: Any, memory: Any, length: int) -> None:  # noqa: ANN401
        self.memory = memory
        self.memories = (about, memory)
        self.place: int = about.client_addr
        ffi = libraries()[0]
        self._fields = ffi.buffer(about.data, URB_BYTES)
        self.type, self.endpoint = self._fields[0][0], self._fields[1][0]
        self.length = length

    def complete(self, status: int, moved: int) -> None:
        """Write how it went, and how many bytes were moved."""
        struct.pack_into("<i", self._fields, URB_STATUS, status)
        struct.pack_into("<i", self._fields, URB_MOVED, moved)


class _Host:
    """A program that has opened the device: what it has asked for, and what is done of that."""

    def __init__(self, model: UsbModel) -> None:
        self._model = model
        self._waiting: list[_Urb] = []
        self._done: deque[_Urb] = deque()
        self._spent: list[Any] = []
        self._ffi, self._umockdev, self._gobject = libraries()

    def submit(self, data: Any) -> int:  # noqa: ANN401
        """Take a request: of control and towards the device it is done at once."""
        about = self._resolve(data, 0, URB_BYTES)
        fields = self._ffi.buffer(about.data, URB_BYTES)
        (length,) = struct.unpack_from("<i", fields, URB_LENGTH)
        memory = self._resolve(about, URB_BUFFER, length) if length else self._ffi.NULL
        urb = _Urb(about, memory, length)
        if urb.type != CONTROL and urb.endpoint & IN:
            self._waiting.append(urb)
            return 0
        content = self._ffi.buffer(memory.data, length) if length else bytearray()
        try:
            moved = self._control(content) if urb.type == CONTROL else self._out(urb, content)
            urb.complete(0, moved)
        except Stall:
            urb.complete(-errno.EPIPE, 0)
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
        if not self._done:
            self._fill()
        if not self._done:
            time.sleep(0 if gone else IDLE_SECONDS)
            return errno.ENODEV if gone else errno.EAGAIN
        to = self._resolve(data, 0, self._ffi.sizeof("void *"))
        urb = self._done.popleft()
        self._umockdev.umockdev_ioctl_data_set_ptr(to, 0, urb.memories[0])
        self._spent += [to, *urb.memories]
        return 0

    def write(self, data: Any, content: bytes) -> None:  # noqa: ANN401
        """Write to where the host wants an answer."""
        to = self._resolve(data, 0, len(content))
        self._ffi.buffer(to.data, len(content))[:] = content
        self._spent.append(to)

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

    def _fill(self) -> None:
        """Let the device send something, to the first that waits at an endpoint."""
        silent = set()
        for urb in self._waiting:
            if urb.endpoint in silent:
                continue
            data = self._model.send(urb.endpoint, urb.length)
            if data is not None:
                self._ffi.memmove(urb.memory.data, data, len(data))
                urb.complete(0, len(data))
                self._waiting.remove(urb)
                self._done.append(urb)
                return
            silent.add(urb.endpoint)

    def _control(self, content: Any) -> int:  # noqa: ANN401
        setup = Setup(*SETUP.unpack_from(content))
        rest = SETUP.size
        if not setup.type & IN:
            self._model.control(setup, bytes(content[rest : rest + setup.length]))
            return setup.length
        answer = self._model.control(setup, b"")[: setup.length]
        content[rest : rest + len(answer)] = answer
        return len(answer)

    def _out(self, urb: _Urb, content: Any) -> int:  # noqa: ANN401
        self._model.receive(urb.endpoint, bytes(content))
        return urb.length
