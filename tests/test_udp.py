"""The address in a URL, and the values of options."""

from __future__ import annotations

import pytest

from aevents._udp import Address, address_of, refuse, value_of


@pytest.mark.parametrize(
    ("rest", "host", "port"),
    [
        ("//:4444", "", 4444),
        ("//10.0.0.1", "10.0.0.1", 3333),
        ("//[::1]:9", "::1", 9),
        ("//localhost:65535/", "localhost", 65535),
        ("//", "", 3333),
    ],
)
def test_addresses(rest: str, host: str, port: int) -> None:
    assert address_of(rest) == Address(host, port)


@pytest.mark.parametrize(
    "rest",
    ["", ":3333", "10.0.0.1:3333", "//:0", "//:65536", "//:x", "//a/b", "//[::1", "//me@here:1"],
)
def test_what_is_no_address(rest: str) -> None:
    with pytest.raises(ValueError, match="address"):
        address_of(rest)


def test_values_may_be_text() -> None:
    assert value_of("rate", "1e6", float) == 1_000_000
    assert value_of("buffer", "4096", int) == value_of("buffer", 4096, int) == 4096
    assert [value_of("timestamps", text, bool) for text in ("yes", "no", True)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("name", "value", "kind", "message"),
    [
        ("rate", "fast", float, "udp: rate is of type float, not 'fast'"),
        ("buffer", "1.5", int, "udp: buffer is of type int, not '1.5'"),
        ("timestamps", "perhaps", bool, "udp: timestamps is yes or no, not 'perhaps'"),
    ],
)
def test_what_is_no_value(name: str, value: str, kind: type, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value_of(name, value, kind)


def test_options_that_are_not_known() -> None:
    refuse({}, ("size",))
    with pytest.raises(ValueError, match="udp: there is no option 'sise'; known: size, buffer"):
        refuse({"sise": "1x1"}, ("size", "buffer"))
