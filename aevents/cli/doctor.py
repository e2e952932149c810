"""`aevents doctor`: whether this machine is as it should be, and how to mend what is not."""

from __future__ import annotations

from typing import Literal

import msgspec

from aevents.cli.checks import Finding, software

BAD = 1
"""The exit code if something is to be mended."""


class Diagnosis(msgspec.Struct, frozen=True):
    """What `--json` prints: whether all is well, and what was found."""

    good: bool
    findings: list[Finding]


def doctor(*, json: bool = False, build: Literal["metavision"] | None = None) -> int:
    """Look at what aevents needs here: kernels, loop, buffers, packages, libraries, and cameras.

    Each line is good, optional, or to be mended, with the command for it; if there is one of the
    last kind, the exit code is 1.

    Parameters
    ----------
    json
        Print one JSON object.
    build
        Compile the bridge to this library of a maker, say where it is, and look at nothing.
    """
    from aevents.cameras import metavision_bridge
    from aevents.cli.checks_usb import cameras  # cffi takes 30 ms

    if build:
        print(f"built {metavision_bridge.build()}")
        return 0

    findings = [*software(), *cameras()]
    good = all(one.state != "mend" for one in findings)
    if json:
        diagnosis = msgspec.json.encode(Diagnosis(good, findings))
        print(msgspec.json.format(diagnosis).decode())
    else:
        print("\n".join(_lines(findings)))
    return 0 if good else BAD


def _lines(findings: list[Finding]) -> list[str]:
    width = max(len(one.name) for one in findings)
    return [
        f"{one.state:8}  {one.name:{width}}  {one.found}" + (f"; {one.how}" if one.how else "")
        for one in findings
    ]
