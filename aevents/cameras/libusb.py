"""What is plugged in, by libusb: of the wheel `libusb-package`, else of the system."""

from __future__ import annotations

import ctypes.util
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
"""
NO_ACCESS = -3
LONGEST_STRING = 256

ffi: FFI = FFI()
ffi.cdef(DECLARATIONS)


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
    with _listed(usb) as every:
        return [found for one in every if (found := _described(usb, one, models)) is not None]


@cache
def library() -> Any:  # noqa: ANN401  # cffi's libraries have no types
    """Return libusb. Raises `MissingExtraError`."""
    name = find()
    if name is None:
        raise missing_extra("libusb", "inivation")
    return ffi.dlopen(name)


def find() -> str | None:
    """Return where the library is, by path or by name; None if nobody knows."""
    wheel = find_spec("libusb_package")
    places = [] if wheel is None or wheel.origin is None else Path(wheel.origin).parent.iterdir()
    own = [str(path) for path in places if path.name.startswith("libusb-1.0.")]
    return own[0] if own else ctypes.util.find_library("usb-1.0")


@contextmanager
def _listed(usb: Any) -> Iterator[list[object]]:  # noqa: ANN401
    context, each = ffi.new("void **"), ffi.new("void ***")
    _check(usb, usb.libusb_init(context), "libusb cannot begin")
    try:
        count = usb.libusb_get_device_list(context[0], each)
        _check(usb, count, "the USB devices cannot be listed")
        try:
            yield [each[0][index] for index in range(count)]
        finally:
            usb.libusb_free_device_list(each[0], 1)
    finally:
        usb.libusb_exit(context[0])


def _check(usb: Any, code: int, what: str) -> None:  # noqa: ANN401
    if code < 0:
        raise DeviceError(f"{what}: {_name(usb, code)}")


def _name(usb: Any, code: int) -> str:  # noqa: ANN401
    return str(ffi.string(usb.libusb_error_name(code)), "ascii")


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
    place = usb.libusb_get_bus_number(device), usb.libusb_get_device_address(device)
    serial, problem = _serial(usb, device, about.iSerialNumber)
    return UsbDevice(
        about.idVendor, about.idProduct, *place, serial, problem, version=about.bcdDevice
    )


def _serial(usb: Any, device: object, index: int) -> tuple[str, str]:  # noqa: ANN401
    """Return the serial of a device, and why it cannot be told."""
    handle, text = ffi.new("void **"), ffi.new("char[]", LONGEST_STRING)
    code = usb.libusb_open(device, handle)
    if code == NO_ACCESS:
        return "", "you have no rights to use it: let a udev rule give you some"
    if code < 0:
        return "", _name(usb, code)
    length = usb.libusb_get_string_descriptor_ascii(handle[0], index, text, LONGEST_STRING)
    usb.libusb_close(handle[0])
    return ffi.unpack(text, max(length, 0)).decode("ascii", "replace").strip(), ""
