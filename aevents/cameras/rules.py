"""Rules of udev, which let others than root use a camera on Linux.

A rule is a line as udev(7) has it: it gives whoever sits at the machine the rights to use these
models. Its file must come before 73-seat-late.rules, which acts on `uaccess`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

Model = tuple[int, int]
"""The numbers of vendor and product."""

FOLDERS = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d")
GIVES = re.compile(r"uaccess|\b(MODE|GROUP|OWNER)\s*:?=[^=]")
"""What gives rights, in a rule."""


def rules_for(models: Collection[Model], /) -> list[str]:
    """Return the rules for these models, one a vendor.

    >>> rules_for([(0x152A, 0x8419), (0x152A, 0x841A)])
    ['SUBSYSTEM=="usb", ATTRS{idVendor}=="152a", ATTRS{idProduct}=="8419|841a", TAG+="uaccess"']
    """
    return [
        f'SUBSYSTEM=="usb", ATTRS{{idVendor}}=="{vendor:04x}", '
        f'ATTRS{{idProduct}}=="{"|".join(products)}", TAG+="uaccess"'
        for vendor in sorted({vendor for vendor, _ in models})
        if (products := [f"{one:04x}" for of, one in sorted(models) if of == vendor])
    ]


def command_for(name: str, models: Collection[Model], /) -> str:
    """Return what to type so that the models of a driver may be used."""
    lines = " ".join(f"'{rule}'" for rule in rules_for(models))
    file = f"/etc/udev/rules.d/65-{name}.rules"
    return (
        f"printf '%s\\n' {lines} | sudo tee {file} && sudo udevadm control --reload, "
        "and plug the camera in again"
    )


def without_rule(models: Iterable[Model], folders: Iterable[str] = FOLDERS, /) -> list[Model]:
    """Return which of these models no rule on this machine gives rights to."""
    rules = list(_rules(folders))
    return [model for model in models if not any(_gives(rule, model) for rule in rules)]


def _rules(folders: Iterable[str]) -> Iterator[str]:
    for path in sorted(path for folder in folders for path in Path(folder).glob("*.rules")):
        try:
            text = path.read_text(errors="replace")
        except OSError:  # one that we may not read, or a link to nowhere
            continue
        yield from (line for line in text.replace("\\\n", " ").splitlines() if line[:1] != "#")


def _gives(rule: str, model: Model) -> bool:
    vendor, product = (
        re.search(rf'ATTRS?\{{{name}\}}=="([^"]*)"', rule) for name in ("idVendor", "idProduct")
    )
    if vendor is None or not GIVES.search(rule):
        return False
    asked = [(vendor, model[0])] + ([(product, model[1])] if product else [])
    return all(f"{number:04x}" in found[1].lower().split("|") for found, number in asked)
