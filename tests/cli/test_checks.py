"""What is found on a machine, and how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from aevents import _native
from aevents.cli import checks
from aevents.cli.checks import Finding


def absent(*names: str) -> Callable[[str], str]:
    """Return a function that tells the versions of all packages but these."""

    def version(name: str) -> str:
        if name in names:
            raise PackageNotFoundError(name)
        return "1.2"

    return version


def test_everything_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rmem_max").write_text("4194304\n")
    monkeypatch.setattr(checks, "RMEM_MAX", tmp_path / "rmem_max")
    monkeypatch.setattr(checks, "requires", lambda _: ['httpx>=0.27; extra == "http"'])
    names = [finding.name for finding in checks.software()]
    assert names == ["aevents", "kernels", "loop", "receive buffer", "[http]"]
    monkeypatch.setattr(checks, "RMEM_MAX", tmp_path / "elsewhere")
    assert "receive buffer" not in [finding.name for finding in checks.software()]


def test_a_program_that_is_not_installed_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "version", absent())
    assert checks.program().found.startswith("1.2, Python 3.")
    monkeypatch.setattr(checks, "version", absent("aevents"))
    assert checks.program().state == "optional"


@pytest.mark.parametrize(
    ("name", "asked", "state"),
    [("c-v3", "1", "good"), ("numpy", "0", "optional"), ("numpy", "1", "mend")],
)
def test_kernels(name: str, asked: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_native, "name", name)
    monkeypatch.setenv("AEVENTS_NATIVE", asked)
    finding = checks.kernels()
    assert (finding.state, name in finding.found) == (state, True)
    assert bool(finding.how) == (state != "good")


def test_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "version", absent())
    assert checks.loop() == Finding("loop", "good", "uvloop 1.2")
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    assert checks.loop() == Finding("loop", "optional", "asyncio's, slower", "pip install uvloop")
    monkeypatch.setattr(sys, "platform", "win32")  # where there is no uvloop
    assert checks.loop() == Finding("loop", "good", "asyncio's")


def test_a_small_receive_buffer_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    most = tmp_path / "rmem_max"
    monkeypatch.setattr(checks, "RMEM_MAX", most)
    most.write_text("212992\n")
    finding = checks.receive_buffer()
    assert finding.state == "optional"
    assert "rmem_max is 212992, and udp: asks for 4194304" in finding.found
    assert "echo net.core.rmem_max=4194304 | sudo tee" in finding.how


def test_extras_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        "numpy>=2",
        'h5py>=3.11; extra == "hdf5"',
        "hdf5plugin>=4 ; extra == 'hdf5'",
        'av>=13; extra == "video"',
        "event-camera-drivers>=0.2; sys_platform == 'linux' and extra == 'inivation'",
        'aevents[hdf5,video]; extra == "all"',
        'ruff>=0.9; extra == "dev"',
    ]
    monkeypatch.setattr(checks, "requires", lambda _: wanted)
    monkeypatch.setattr(checks, "version", absent("hdf5plugin"))
    assert list(checks.extras()) == [
        Finding("[hdf5]", "optional", "without hdf5plugin", "pip install 'aevents[hdf5]'"),
        Finding("[video]", "good", "av 1.2"),
    ]


def test_without_an_installed_package_extras_are_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "requires", absent("aevents"))
    assert list(checks.extras()) == []
