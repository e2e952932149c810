"""The doctor says what it has found, and in its exit code whether all is well."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from aevents.cameras import metavision_bridge
from aevents.cli import checks_usb, doctor
from aevents.cli.checks import Finding
from aevents.cli.main import execute
from tests.hal.sdk import StandIn

FINE = [Finding("kernels", "good", "c-v4"), Finding("[http]", "optional", "without httpx", "pip")]
BROKEN = Finding("libcaer", "mend", "not found", "install it")


def found(monkeypatch: pytest.MonkeyPatch, cameras: Sequence[Finding]) -> None:
    monkeypatch.setattr(doctor, "software", lambda: FINE)
    monkeypatch.setattr(checks_usb, "cameras", lambda: cameras)


def test_what_is_optional_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, ())
    assert execute(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "good      kernels  c-v4",
        "optional  [http]   without httpx; pip",
    ]


def test_what_is_to_be_mended_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, [BROKEN])
    assert execute(["doctor"]) == 1
    assert capsys.readouterr().out.endswith("mend      libcaer  not found; install it\n")
    assert execute(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["good"] is False
    assert said["findings"][-1] == {
        "name": "libcaer",
        "state": "mend",
        "found": "not found",
        "how": "install it",
    }


def test_as_json_it_says_that_all_is_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, ())
    assert execute(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["good"] is True


def test_it_builds_the_bridge_to_metavision(
    hal: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert execute(["doctor", "--build", "metavision"]) == 0
    path = metavision_bridge.sdk().bridge
    assert path.is_file()
    assert path.is_relative_to(tmp_path)
    assert capsys.readouterr().out == f"built {path}\n"
    monkeypatch.setenv("AEVENTS_METAVISION", str(tmp_path))
    assert execute(["doctor", "--build", "metavision"]) == 1
    assert "install OpenEB 5" in capsys.readouterr().err
    assert execute(["doctor", "--build", "libcaer"]) == 2


def test_on_this_machine_it_comes_to_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    code = execute(["doctor", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["good"] is (code == 0)
    assert {"aevents", "kernels", "loop", "libusb", "libcaer", "metavision"} <= {
        finding["name"] for finding in said["findings"]
    }
