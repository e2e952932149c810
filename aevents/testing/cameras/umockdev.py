"""Models on an emulated bus of Linux: real libusb, and every driver on top of that, sees them.

umockdev has a folder in place of /dev and /sys, for the processes that run under `umockdev-wrapper`
and have `UMOCKDEV_DIR` in their environment; it hands us the calls of `ioctl` on the files in it,
as linux/usbdevice_fs.h has them. Its threads call us; a thread of ours looks what models have to
say that hosts wait for.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aevents.testing.cameras.node import Node
from aevents.testing.cameras.usb import UsbModel
from aevents.testing.cameras.usbdevfs import (
    CLAIM,
    CLAIM_FROM_DRIVER,
    DISCARD,
    GET_CAPABILITIES,
    GET_DRIVER,
    NOTHING_TO_DO,
    REAP,
    REAP_NOW,
    RELEASE,
    SUBMIT,
    Host,
    libraries,
)

DEVICES = "/sys/bus/usb/devices"
LOOK_SECONDS = 0.0005
"""How often it is looked what models have to say."""


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
        self._undoing = ExitStack()
        self._closed = threading.Event()
        self._looking = threading.Thread(target=self._look, name="emulated-bus", daemon=True)
        self._looking.start()

    def plug(self, model: UsbModel, /) -> str:
        """Plug a model in; return the path of its node below /dev."""
        self._addresses += 1
        plug = _Plug(model, self._addresses)
        base = self._umockdev.umockdev_ioctl_base_new()
        plug.listen(base)
        self._check(self._umockdev.umockdev_testbed_add_from_string, plug.description.encode())
        self._check(self._umockdev.umockdev_testbed_attach_ioctl, plug.node.encode(), base)
        plug.begin(Path(self.folder + plug.node))
        self._undoing.callback(plug.end)
        self._plugs.append(plug)
        self._umockdev.umockdev_testbed_uevent(self._bed, plug.path.encode(), b"add")
        return plug.node

    def unplug(self, model: UsbModel, /) -> None:
        """Pull a model out: what the host waits for fails, and it is told so."""
        plug = next(one for one in self._plugs if one.model is model)
        plug.go()
        self._umockdev.umockdev_testbed_uevent(self._bed, plug.path.encode(), b"remove")
        for path in (plug.node, f"{DEVICES}/{Path(plug.path).name}"):
            Path(self.folder + path).unlink()  # the rest stays for hosts that have it open
        self._plugs.remove(plug)

    def close(self) -> None:
        """Remove everything."""
        self._closed.set()
        self._looking.join()
        self._undoing.close()
        self._gobject.g_object_unref(self._bed)

    def _look(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            for plug in tuple(self._plugs):
                plug.look()

    def _check(self, call: Callable[..., int], *arguments: object) -> None:
        error = self._ffi.new("GError **")
        if not call(self._bed, *arguments, error):
            raise OSError(self._ffi.string(error[0].message).decode())


class _Plug:
    """A model at its place on the bus, and the hosts that have opened it."""

    def __init__(self, model: UsbModel, address: int) -> None:
        self.model = model
        self.node = f"/dev/bus/usb/001/{address:03d}"
        self.path = f"/sys/devices/pci0000:00/0000:00:14.0/usb1/1-{address}"
        self._address = address
        self._hosts: dict[int, Host] = {}
        self._claimed: Host | None = None
        self._gone = False
        self._file: Node | None = None
        self._lock = threading.RLock()
        self._ffi, self._umockdev, self._gobject = libraries()
        self._callbacks: list[object] = []
        self._left: object = self._ffi.callback("void (void *, void *)", self._leave)

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

    def begin(self, path: Path) -> None:
        """Let hosts wait for the file at this path."""
        self._file = Node(path)

    def end(self) -> None:
        """Close the file."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close()

    def go(self) -> None:
        """Be unplugged."""
        with self._lock:
            self._gone = True
            self._tell()

    def look(self) -> None:
        """Look whether the model has something to say that a host waits for."""
        with self._lock:
            for host in self._hosts.values():
                host.fill()
            self._tell()

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
        with self._lock:
            self._ask(self._hosts[self._key(client)], client)
            self._tell()
        return 1

    def _ask(self, host: Host, client: object) -> None:
        request = self._umockdev.umockdev_ioctl_client_get_request(client) & 0xFFFFFFFF
        data = self._umockdev.umockdev_ioctl_client_get_arg(client)
        try:
            error = self._answer(host, request, data)
        except BrokenPipeError:
            error = errno.EPIPE
        self._umockdev.umockdev_ioctl_client_complete(client, -1 if error else 0, error)
        host.free_spent()
        if not self._gone:
            host.fill()

    def _answer(self, host: Host, request: int, data: Any) -> int:  # noqa: ANN401  # cffi's
        """Do what is asked; return the number of the error, or 0."""
        if request in (REAP, REAP_NOW):
            return host.reap(data, gone=self._gone)
        if self._gone and request not in (RELEASE, DISCARD):
            return errno.ENODEV
        answers: dict[int, Callable[[Any], int]] = {
            SUBMIT: host.submit,
            DISCARD: host.discard,
            GET_CAPABILITIES: host.tell_capabilities,
            CLAIM: lambda _: self._claim(host),
            CLAIM_FROM_DRIVER: lambda _: self._claim(host),
            RELEASE: lambda _: self._release(host),
            GET_DRIVER: lambda _: errno.ENODATA,
        }
        if request in answers:
            return answers[request](data)
        return 0 if request in NOTHING_TO_DO else errno.ENOTTY

    def _claim(self, host: Host) -> int:
        if self._claimed not in (None, host):
            return errno.EBUSY
        self._claimed = host
        return 0

    def _release(self, host: Host) -> int:
        self._claimed = None if self._claimed is host else self._claimed
        return 0

    def _come(self, _base: object, client: object, _user: object) -> None:
        """Take note of a host."""
        with self._lock:
            self._hosts[self._key(client)] = Host(self.model)
        self._gobject.g_object_weak_ref(client, self._left, self._ffi.NULL)

    def _leave(self, _user: object, client: object) -> None:
        """Forget a host that has closed the file, or ended."""
        with self._lock:
            host = self._hosts.pop(self._key(client))
            self._release(host)
            host.forget()
            self._tell()

    def _tell(self) -> None:
        if self._file is not None:
            ready = self._gone or any(host.ready for host in self._hosts.values())
            self._file.tell(ready=ready)

    def _key(self, client: object) -> int:
        return int(self._ffi.cast("uintptr_t", client))
