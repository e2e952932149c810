"""What tests need, of this library and of your own formats, operators, cameras and sinks: laws to
check, and emulated cameras (`aevents.testing.cameras`).
"""

from __future__ import annotations

from aevents.testing.laws import (
    assert_same,
    assert_same_events,
    check_codec,
    check_operator,
    check_sink,
    check_source,
    cut_events,
    decode,
    encode,
    example_events,
)

__all__ = [
    "assert_same",
    "assert_same_events",
    "check_codec",
    "check_operator",
    "check_sink",
    "check_source",
    "cut_events",
    "decode",
    "encode",
    "example_events",
]
