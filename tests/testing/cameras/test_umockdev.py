"""Models on an emulated bus: what a host does with the files of devices reaches them."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aevents.testing.cameras.inivation import DVXplorer
from aevents.testing.cameras.umockdev import Bus
from aevents.testing.cameras.usbdevfs import CLAIM, REAP_NOW, RELEASE
from tests.emulated import emulated_test


@contextmanager
def plugged(model: DVXplorer) -> Iterator[tuple[Bus, str]]:
    """A bus with a model, for this process."""
    bus = Bus()
    node = bus.plug(model)
    os.environ["UMOCKDEV_DIR"] = bus.folder
    try:
        yield bus, node
    finally:
        del os.environ["UMOCKDEV_DIR"]
        bus.close()


@contextmanager
def opened(node: str) -> Iterator[int]:
    file = os.open(node, os.O_RDWR)
    yield file
    os.close(file)


def tried(file: int, request: int) -> int:
    try:
        fcntl.ioctl(file, request, bytes(16))
    except OSError as error:
        return error.errno or 0
    return 0


def refused(file: int, request: int, argument: bytes = bytes(16)) -> int:
    with pytest.raises(OSError, match=r"\[Errno") as caught:
        fcntl.ioctl(file, request, argument)
    return int(caught.value.errno or 0)


@emulated_test
def test_only_one_host_claims_a_device() -> None:
    with plugged(DVXplorer()) as (_, node), opened(node) as one, opened(node) as other:
        fcntl.ioctl(one, CLAIM, bytes(4))
        fcntl.ioctl(one, CLAIM, bytes(4))
        assert refused(other, CLAIM) == errno.EBUSY
        fcntl.ioctl(other, RELEASE, bytes(4))
        assert refused(other, CLAIM) == errno.EBUSY
        fcntl.ioctl(one, RELEASE, bytes(4))
        fcntl.ioctl(other, CLAIM, bytes(4))


@emulated_test
def test_a_device_that_is_unplugged_answers_no_more() -> None:
    model = DVXplorer()
    with plugged(model) as (bus, node), opened(node) as file:
        bus.unplug(model)
        assert not Path(bus.folder + node).exists()
        assert refused(file, CLAIM) == errno.ENODEV
        assert refused(file, REAP_NOW, bytes(8)) == errno.ENODEV
        fcntl.ioctl(file, RELEASE, bytes(4))  # which hosts do on their way out
        assert bus.plug(model) != node


def test_the_folder_goes_with_the_bus() -> None:
    try:
        bus = Bus()
    except OSError:
        pytest.skip("no umockdev: apt-get install umockdev")
    assert Path(bus.folder).is_dir()
    bus.close()
    assert not Path(bus.folder).exists()


@emulated_test
def test_a_host_that_has_gone_claims_nothing() -> None:
    with plugged(DVXplorer()) as (_, node):
        with opened(node) as one:
            fcntl.ioctl(one, CLAIM, bytes(4))
        with opened(node) as other:
            for _ in range(100):  # the bus sees it a little later
                if not tried(other, CLAIM):
                    break
                time.sleep(0.01)
            assert tried(other, CLAIM) == 0
