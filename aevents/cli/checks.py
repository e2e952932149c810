"""What a machine is asked whether it is as it should be: the program, kernels, loop, buffers, and
optional packages.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from aevents import _native
from aevents.sources.udp import BUFFER_BYTES

RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
"""The most that Linux lets others than root have to hold datagrams."""
OF_AN_EXTRA = re.compile(r"""([\w.-]+)[^;]*; extra == ["'](\w+)["']""")
"""A package that an extra installs on any machine."""
NOT_TO_USE = {"all", "dev"}

State = Literal["good", "optional", "mend"]


class Finding(msgspec.Struct, frozen=True):
    """What was found. `state` is `good`, or `optional`: it works without, or not as fast; or
    `mend`: something that is wanted does not work. `how` says how to mend it.
    """

    name: str
    state: State
    found: str
    how: str = ""


def software() -> Iterator[Finding]:
    """Look at everything but cameras."""
    yield program()
    yield kernels()
    yield loop()
    if RMEM_MAX.exists():
        yield receive_buffer()
    yield from extras()


def program() -> Finding:
    """Tell which aevents this is, on what."""
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    try:
        return Finding("aevents", "good", f"{version('aevents')}, {machine}")
    except PackageNotFoundError:
        how = "pip install aevents, so that optional packages are known"
        return Finding("aevents", "optional", f"not installed, {machine}", how)


def kernels() -> Finding:
    """Tell whether the kernels are in C, and for which processors."""
    if _native.name != "numpy":
        return Finding("kernels", "good", _native.name)
    if os.environ.get("AEVENTS_NATIVE") == "0":
        return Finding("kernels", "optional", "numpy, slower", "unset AEVENTS_NATIVE")
    how = "install aevents again, where there is a C compiler"
    return Finding("kernels", "mend", "numpy, slower: those in C cannot be loaded", how)


def loop() -> Finding:
    """Tell on which event loop programs run."""
    if find_spec("uvloop"):
        return Finding("loop", "good", f"uvloop {version('uvloop')}")
    if sys.platform == "win32":
        return Finding("loop", "good", "asyncio's")
    return Finding("loop", "optional", "asyncio's, slower", "pip install uvloop")


def receive_buffer() -> Finding:
    """Tell whether the system holds as many datagrams as UDP at speed wants."""
    most = int(RMEM_MAX.read_text())
    found = f"net.core.rmem_max is {most}"
    if most >= BUFFER_BYTES:
        return Finding("receive buffer", "good", found)
    how = (
        f"echo net.core.rmem_max={BUFFER_BYTES} | sudo tee /etc/sysctl.d/60-aevents.conf "
        "&& sudo sysctl --system"
    )
    found += f", and udp: asks for {BUFFER_BYTES}: others than root may lose datagrams"
    return Finding("receive buffer", "optional", found, how)


def extras() -> Iterator[Finding]:
    """Tell of each extra whether its packages are installed."""
    packages: dict[str, list[str]] = {}
    for match in map(OF_AN_EXTRA.fullmatch, _requirements()):
        if match and match[2] not in NOT_TO_USE:
            packages.setdefault(match[2], []).append(match[1])
    for extra, names in sorted(packages.items()):
        versions = {name: _version(name) for name in names}
        missing = [name for name, found in versions.items() if not found]
        if missing:
            found, how = f"without {', '.join(missing)}", f"pip install 'aevents[{extra}]'"
            yield Finding(f"[{extra}]", "optional", found, how)
        else:
            found = ", ".join(f"{name} {found}" for name, found in versions.items())
            yield Finding(f"[{extra}]", "good", found)


def _requirements() -> list[str]:
    try:
        return requires("aevents") or []
    except PackageNotFoundError:
        return []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
