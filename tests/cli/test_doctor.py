"""The doctor says what it has found, and in its exit code whether all is well."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from aevents.cli import checks_usb, doctor
from aevents.cli.checks import Finding
from aevents.cli.main import execute

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


def test_on_this_machine_it_comes_to_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    code = execute(["doctor", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["good"] is (code == 0)
    assert {"aevents", "kernels", "loop", "libusb", "libcaer"} <= {
        finding["name"] for finding in said["findings"]
    }
