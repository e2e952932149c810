"""What errors say and carry."""

from __future__ import annotations

import pytest

from aevents.errors import (
    AeventsError,
    DecodeError,
    DownloadError,
    EncodeError,
    MissingExtraError,
    TimeOrderError,
    TruncatedError,
    UnknownFormatError,
    missing_extra,
)


def test_a_decode_error_says_what_and_where() -> None:
    error = DecodeError("evt3", "unknown word type 0xD", offset=4096)
    assert str(error) == "evt3: unknown word type 0xD at byte 4096"
    assert (error.format, error.reason, error.offset) == ("evt3", "unknown word type 0xD", 4096)
    assert str(DecodeError("dat", "no")) == "dat: no"


def test_an_encode_error_says_what() -> None:
    error = EncodeError("dat", "x is too large")
    assert str(error) == "dat: x is too large"
    assert (error.format, error.reason) == ("dat", "x is too large")


def test_an_unknown_format_lists_the_known_ones() -> None:
    error = UnknownFormatError("no idea", ["b", "a"])
    assert error.known == ("a", "b")
    assert str(error) == "no idea; known formats: a, b"


def test_a_missing_extra_says_what_to_type() -> None:
    error = missing_extra("torch", "torch")
    assert isinstance(error, MissingExtraError)
    assert error.install == "pip install 'aevents[torch]'"
    assert str(error) == "torch is not installed: pip install 'aevents[torch]'"


def test_a_failed_download_names_all_mirrors() -> None:
    error = DownloadError("digits.gz", ["http://a: 404", "http://b: silent"])
    assert error.failures == ("http://a: 404", "http://b: silent")
    assert str(error) == "digits.gz could not be downloaded: http://a: 404; http://b: silent"


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (DecodeError, (AeventsError, ValueError)),
        (TruncatedError, (DecodeError,)),
        (TimeOrderError, (DecodeError,)),
        (EncodeError, (AeventsError, ValueError)),
        (UnknownFormatError, (AeventsError, LookupError)),
        (MissingExtraError, (AeventsError, ImportError)),
        (DownloadError, (AeventsError, OSError)),
    ],
)
def test_the_tree(error: type[Exception], parents: tuple[type[Exception], ...]) -> None:
    assert all(issubclass(error, parent) for parent in parents)
