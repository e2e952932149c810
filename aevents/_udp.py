"""What both ends of UDP share: the address in a URL, and the values of options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

T = TypeVar("T")

PORT = 3333
"""Where SPIF and AEStream send to, if nothing else is said."""


class Address(NamedTuple):
    """A host, empty for any, and a port."""

    host: str
    port: int


def address_of(rest: str, /) -> Address:
    """Return the address in what follows `udp:`, like `//10.0.0.1:3333` or `//[::1]:3333`.

    Raises `ValueError` for anything else.
    """
    try:
        parts = urlsplit(f"udp:{rest}")
        host, port = parts.hostname or "", PORT if parts.port is None else parts.port
    except ValueError as error:
        raise ValueError(f"udp:{rest} is no address: {error}") from error
    if not rest.startswith("//") or parts.path.strip("/") or parts.username or not port:
        raise ValueError(f"an address is udp://HOST:PORT, like udp://:{PORT}, not udp:{rest}")
    return Address(host, port)


def value_of(name: str, value: object, kind: type[T], /) -> T:
    """Return the value of an option, which may be text. Raises `ValueError` if it is none."""
    if kind is bool and value in ("yes", "no"):
        value = value == "yes"
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        wanted = "yes or no" if kind is bool else f"of type {kind.__name__}"
        raise ValueError(f"udp: {name} is {wanted}, not {value!r}") from error


def refuse(unknown: Mapping[str, object], known: Iterable[str], /) -> None:
    """Raise `ValueError` if there are options that are not known."""
    for name in unknown:
        raise ValueError(f"udp: there is no option {name!r}; known: {', '.join(known)}")
