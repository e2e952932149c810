"""libcaer is found where it is, and what it refuses is told."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from aevents import DeviceError, MissingExtraError
from aevents._native.wake import Wake
from aevents.cameras import libcaer
from aevents.cameras.inivation_settings import About
from aevents.cameras.libcaer import Handle, library
from aevents.testing.cameras import DAVIS346, DVXplorer, emulated
from tests.emulated import emulated_test

DVXPLORER, DAVIS = 8, 4


@pytest.fixture
def fresh() -> Iterator[None]:
    libcaer.loaded.cache_clear()
    yield
    libcaer.loaded.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_libcaer_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AEVENTS_LIBCAER", raising=False)
    monkeypatch.setattr(libcaer, "find_spec", lambda _: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    with pytest.raises(MissingExtraError) as caught:
        library()
    assert caught.value.install == "pip install 'aevents[inivation]'"


@pytest.mark.usefixtures("fresh")
def test_the_variable_is_asked_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AEVENTS_LIBCAER", str(tmp_path / "libcaer.so"))
    with pytest.raises(MissingExtraError, match=str(tmp_path)):
        library()


@emulated_test
def test_a_camera_says_what_it_is() -> None:
    with emulated(DVXplorer(), DAVIS346()):
        for type, address, getter, about in (
            (DVXPLORER, 2, "caerDVXplorerInfoGet", About("DXA00042", 640, 480, 20, True)),
            (DAVIS, 3, "caerDavisInfoGet", About("00000346", 346, 260, 5, True)),
        ):
            handle = Handle(type, 1, address)
            assert handle.about(getter) == about
            handle.close()


@emulated_test
def test_parameters_are_set_and_read() -> None:
    with emulated(DAVIS346()) as cameras:
        handle = Handle(DAVIS, 1, 2)
        handle.about("caerDavisInfoGet")
        handle.set_defaults()
        handle.set(1, 41, 7)
        assert handle.get(1, 41) == cameras.registers()[1, 41] == 7
        for refused in (lambda: handle.set(99, 1, 1), lambda: handle.get(99, 1)):
            with pytest.raises(DeviceError, match=r"SN-00000346.*99\.1"):
                refused()
        handle.close()


@emulated_test
def test_data_come_when_they_are_started_and_are_freed_with_the_container() -> None:
    wake = Wake()
    with emulated(DVXplorer()):  # which says nothing but the time
        handle = Handle(DVXPLORER, 1, 2)
        handle.start(wake)
        assert handle.take() is None
        assert not wake.ended
        handle.close()
    wake.close()


@emulated_test
def test_a_start_that_fails_can_be_tried_again_and_closed() -> None:
    wake = Wake()
    with emulated(DVXplorer()):
        handle = Handle(DVXPLORER, 1, 2)
        handle.set(-2, 0, 100)  # a queue of a size that libcaer cannot have
        with pytest.raises(DeviceError, match="do not begin"):
            handle.start(wake)
        handle.set(-2, 0, 128)
        handle.start(wake)
        handle.close()
        handle = Handle(DVXPLORER, 1, 2)
        handle.set(-2, 0, 100)
        with pytest.raises(DeviceError, match="do not begin"):
            handle.start(wake)
        handle.close()
    wake.close()


@emulated_test
def test_what_cannot_be_opened_says_why() -> None:
    with emulated(DVXplorer()):
        with pytest.raises(DeviceError, match="no matching device could be found or opened"):
            Handle(DAVIS, 1, 2)
