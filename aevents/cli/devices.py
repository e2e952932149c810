"""`aevents devices`: the cameras that are plugged in, and what is known of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from aevents.cli.figures import console

if TYPE_CHECKING:
    from aevents.cameras.libusb import UsbDevice
    from aevents.sources.usb import Plugged

UNSERVED: Mapping[tuple[int, int], str] = {
    (0x04B4, 0x00F4): "EVK3 or EVK4",
    (0x04B4, 0x00F5): "EVK3 or EVK4",
    (0x152A, 0x841E): "DVS132S",
}
"""Cameras by vendor and product that can be plugged in, whether or not a driver serves them."""
HEADERS = ("camera", "driver", "serial", "firmware", "opened with", "rights")


class Device(msgspec.Struct, frozen=True):
    """A camera that is plugged in; with `--json` these are printed.

    `driver` and `url` are null where no driver serves it. `vendor` and `product` are the numbers of
    USB, in hexadecimals; `firmware` is the release that the camera tells on USB. `problem` says why
    you cannot open it; it is empty if you can, and `serial` is empty where it cannot be told.
    """

    model: str
    driver: str | None
    url: str | None
    vendor: str
    product: str
    bus: int
    address: int
    serial: str
    firmware: str
    problem: str


def devices(*, json: bool = False) -> None:
    """List the cameras that are plugged in: how to open each, its driver, and whether you may.

    Parameters
    ----------
    json
        Print a JSON array, one object a camera.
    """
    found = plugged_in()
    if json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif found:
        _print(found)
    else:
        print("no camera is plugged in")


def plugged_in() -> list[Device]:
    """Return the cameras that are plugged in. Raises `MissingExtraError` and `DeviceError`."""
    from aevents.cameras import libusb  # cffi takes 30 ms
    from aevents.sources import usb

    served = {model for driver in usb.DRIVERS for model in driver.models}
    others = libusb.devices(set(UNSERVED) - served)
    return [
        *(_device(one.device, one) for one in usb.plugged_in()),
        *(_device(one, None) for one in others),
    ]


def _device(device: UsbDevice, plugged: Plugged | None) -> Device:
    model = device.vendor, device.product
    return Device(
        model=plugged.model if plugged else UNSERVED[model],
        driver=plugged.driver.name if plugged else None,
        url=plugged.url if plugged else None,
        vendor=f"{device.vendor:04x}",
        product=f"{device.product:04x}",
        bus=device.bus,
        address=device.address,
        serial=device.serial,
        firmware=f"{device.version >> 8:x}.{device.version & 0xFF:02x}",
        problem=device.problem,
    )


def _print(found: list[Device]) -> None:
    from rich.table import Table

    table = Table(*HEADERS, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for one in found:
        table.add_row(
            one.model,
            one.driver or "none",
            one.serial,
            one.firmware,
            one.url or "",
            one.problem or "yes",
        )
    console().print(table)
    if any(one.problem for one in found):
        sys.stderr.write("aevents doctor says how to mend that\n")
