"""What is plugged in, by libusb: of the wheel `libusb-package`, else of the system."""

from __future__ import annotations

import ctypes.util
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from cffi import FFI

from aevents.errors import DeviceError, missing_extra

DECLARATIONS = """
struct libusb_device_descriptor {
    uint8_t bLength, bDescriptorType; uint16_t bcdUSB;
    uint8_t bDeviceClass, bDeviceSubClass, bDeviceProtocol, bMaxPacketSize0;
    uint16_t idVendor, idProduct, bcdDevice;
    uint8_t iManufacturer, iProduct, iSerialNumber, bNumConfigurations;
};
int libusb_init(void **context);
void libusb_exit(void *context);
ssize_t libusb_get_device_list(void *context, void ***list);
void libusb_free_device_list(void **list, int unref);
int libusb_get_device_descriptor(void *device, struct libusb_device_descriptor *descriptor);
uint8_t libusb_get_bus_number(void *device);
uint8_t libusb_get_device_address(void *device);
int libusb_open(void *device, void **handle);
void libusb_close(void *handle);
int libusb_get_string_descriptor_ascii(void *handle, uint8_t index, char *data, int length);
const char *libusb_error_name(int code);
struct libusb_transfer {
    void *handle; uint8_t flags; unsigned char endpoint, type; unsigned int timeout;
    int status, length, actual_length; void (*callback)(struct libusb_transfer *);
    void *user; unsigned char *buffer; int packets;
};
struct libusb_pollfd { int file; short events; };
struct timeval { long tv_sec, tv_usec; };
int libusb_control_transfer(void *handle, uint8_t type, uint8_t request, uint16_t value,
                            uint16_t index, unsigned char *data, uint16_t length, unsigned wait);
int libusb_bulk_transfer(void *handle, unsigned char endpoint, unsigned char *data, int length,
                         int *moved, unsigned int timeout);
int libusb_claim_interface(void *handle, int interface);
int libusb_release_interface(void *handle, int interface);
int libusb_clear_halt(void *handle, unsigned char endpoint);
struct libusb_transfer *libusb_alloc_transfer(int packets);
void libusb_free_transfer(struct libusb_transfer *transfer);
int libusb_submit_transfer(struct libusb_transfer *transfer);
int libusb_cancel_transfer(struct libusb_transfer *transfer);
int libusb_handle_events_timeout_completed(void *context, struct timeval *wait, int *done);
const struct libusb_pollfd **libusb_get_pollfds(void *context);
void libusb_free_pollfds(const struct libusb_pollfd **files);
void libusb_interrupt_event_handler(void *context);
"""
NO_ACCESS, GONE, BUSY, TIMEOUT, STALLED = -3, -4, -6, -7, -9
PROBLEMS = {
    NO_ACCESS: "you have no rights to use it: let a udev rule give you some",
    GONE: "it is unplugged",
    BUSY: "another program has it",
    TIMEOUT: "it does not answer",
    STALLED: "it refuses",
}
LONGEST_STRING = 256

ffi: FFI = FFI()
"""It knows the types of libusb when `library` has been called: to read these takes 20 ms."""
_loading = threading.Lock()


class UsbDevice(msgspec.Struct, frozen=True):
    """A device that is plugged in: its numbers of vendor and product, where it is, its serial.

    `problem` says why it cannot be opened, if so; then the serial is not known. `version` is what
    the device calls its release, in binary-coded decimals: 0x0309 is 3.09.
    """

    vendor: int
    product: int
    bus: int
    address: int
    serial: str = ""
    problem: str = ""
    version: int = 0


def devices(models: Collection[tuple[int, int]], /) -> list[UsbDevice]:
    """Return the devices of these vendors and products that are plugged in. It blocks.

    Raises `MissingExtraError` if there is no libusb, and `DeviceError` if that fails.
    """
    usb = library()
    with context(usb) as own, listed(usb, own) as every:
        return [found for one in every if (found := _described(usb, one, models)) is not None]


def library() -> Any:  # noqa: ANN401  # cffi's libraries have no types
    """Return libusb. It blocks. Raises `MissingExtraError`."""
    with _loading:  # by one who opens a camera, while another opens one
        declare()
        return loaded()


@cache
def declare() -> None:
    """Let `ffi` know the types of libusb."""
    ffi.cdef(DECLARATIONS)


@cache
def loaded() -> Any:  # noqa: ANN401
    """Load libusb, for `library`."""
    name = find()
    if name is None:
        raise missing_extra("libusb", "usb")
    return ffi.dlopen(name)


def find() -> str | None:
    """Return where the library is, by path or by name; None if nobody knows."""
    wheel = find_spec("libusb_package")
    places = [] if wheel is None or wheel.origin is None else Path(wheel.origin).parent.iterdir()
    own = [str(path) for path in places if path.name.startswith("libusb-1.0.")]
    return own[0] if own else ctypes.util.find_library("usb-1.0")


@contextmanager
def context(usb: Any) -> Iterator[object]:  # noqa: ANN401
    """Let libusb begin, and end. Raises `DeviceError`."""
    made = ffi.new("void **")
    check(usb, usb.libusb_init(made), "libusb cannot begin")
    try:
        yield made[0]
    finally:
        usb.libusb_exit(made[0])


@contextmanager
def listed(usb: Any, context: object) -> Iterator[list[object]]:  # noqa: ANN401
    """Give every device that is plugged in. Raises `DeviceError`."""
    each = ffi.new("void ***")
    count = usb.libusb_get_device_list(context, each)
    check(usb, count, "the USB devices cannot be listed")
    try:
        yield [each[0][index] for index in range(count)]
    finally:
        usb.libusb_free_device_list(each[0], 1)


def check(usb: Any, code: int, what: str) -> int:  # noqa: ANN401
    """Return what a function has returned, if that is no error. Raises `DeviceError`."""
    if code < 0:
        raise DeviceError(f"{what}: {problem(usb, code)}")
    return code


def problem(usb: Any, code: int) -> str:  # noqa: ANN401
    """Return what an error means."""
    return PROBLEMS.get(code) or str(ffi.string(usb.libusb_error_name(code)), "ascii")


def place(usb: Any, device: object) -> tuple[int, int]:  # noqa: ANN401
    """Return the bus and the address of a device."""
    return usb.libusb_get_bus_number(device), usb.libusb_get_device_address(device)


def _described(
    usb: Any,  # noqa: ANN401
    device: object,
    models: Collection[tuple[int, int]],
) -> UsbDevice | None:
    """Return what a device is; None if it is none of those, or has just been pulled out."""
    about = ffi.new("struct libusb_device_descriptor *")
    if usb.libusb_get_device_descriptor(device, about) < 0:
        return None
    if (about.idVendor, about.idProduct) not in models:
        return None
    serial, problem = _serial(usb, device, about.iSerialNumber)
    numbers = about.idVendor, about.idProduct, *place(usb, device)
    return UsbDevice(*numbers, serial, problem, version=about.bcdDevice)


def _serial(usb: Any, device: object, index: int) -> tuple[str, str]:  # noqa: ANN401
    """Return the serial of a device, and why it cannot be told."""
    handle, text = ffi.new("void **"), ffi.new("char[]", LONGEST_STRING)
    code = usb.libusb_open(device, handle)
    if code < 0:
        return "", problem(usb, code)
    length = usb.libusb_get_string_descriptor_ascii(handle[0], index, text, LONGEST_STRING)
    usb.libusb_close(handle[0])
    return ffi.unpack(text, max(length, 0)).decode("ascii", "replace").strip(), ""
