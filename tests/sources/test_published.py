"""Files as they were published."""

from __future__ import annotations

import pytest

from aevents.sources.published import Published


def test_what_was_published_does_not_change() -> None:
    file = Published("digits.gz", 3, "abc")
    with pytest.raises(AttributeError):
        file.size = 4  # type: ignore[misc]  # that is the test
