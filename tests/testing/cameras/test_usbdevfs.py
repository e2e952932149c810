"""Requests as hosts make them; that libusb is content with the answers, tests/cameras says."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

import pytest

from aevents.testing.cameras import DVXplorer, emulated
from aevents.testing.cameras.usbdevfs import (
    CLAIM,
    DISCARD,
    GET_CAPABILITIES,
    GET_DRIVER,
    REAP_NOW,
    SUBMIT,
)
from tests.emulated import emulated_test


def refused(file: int, request: int, argument: bytes = bytes(16)) -> int:
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        fcntl.ioctl(file, request, argument)
    return int(caught.value.errno or 0)


@emulated_test
def test_what_linux_would_be_asked_is_answered() -> None:
    with emulated(DVXplorer()):
        file = os.open("/dev/bus/usb/001/002", os.O_RDWR)
        answer = fcntl.ioctl(file, GET_CAPABILITIES, bytes(4))
        assert struct.unpack("<I", answer) == (13,)
        assert refused(file, GET_DRIVER, bytes(260)) == errno.ENODATA
        assert refused(file, REAP_NOW, bytes(8)) == errno.EAGAIN
        assert refused(file, DISCARD) == errno.EINVAL


def test_numbers_of_requests_are_those_of_linux() -> None:
    """As linux/usbdevice_fs.h has them, for 64 bits."""
    assert (SUBMIT, REAP_NOW, CLAIM) == (0x8038550A, 0x4008550D, 0x8004550F)
    assert GET_CAPABILITIES == 0x8004551A
