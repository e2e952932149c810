"""What went wrong is one line that a person understands."""

from __future__ import annotations

import pytest

from aevents.errors import DeviceLostError
from aevents.viewer.words import line_of


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FileNotFoundError(2, "No such file", "a.raw"), "a.raw: No such file"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (DeviceLostError("EVK4: unplugged"), "EVK4: unplugged"),
        (ValueError("two\nlines"), "two lines"),
        (RuntimeError("what"), "RuntimeError: what"),
    ],
)
def test_lines(error: Exception, line: str) -> None:
    assert line_of(error) == line
