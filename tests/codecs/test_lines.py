"""Whole lines of bytes that come cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aevents import DecodeError
from aevents.codecs.base import Watch
from aevents.codecs.lines import LINE_BYTES, Lines


def lines() -> Lines:
    return Lines(Watch("text", strict=False))


@given(st.lists(st.sampled_from([b"a", b"bc\n", b"\n", b"d\ne", b""]), max_size=20))
def test_however_it_is_cut_whole_lines_come_out(chunks: list[bytes]) -> None:
    one, out = lines(), b""
    for chunk in chunks:
        for run in one.feed(chunk):
            assert bytes(run).endswith(b"\n")
            out += bytes(run)
    text = b"".join(chunks)
    assert out == text[: text.rfind(b"\n") + 1]
    assert (one.offset, len(one)) == (len(out), len(text) - len(out))


def test_a_line_that_is_too_long_is_refused_after_those_before_it() -> None:
    one = lines()
    runs = one.feed(b"a\n" + b"b" * (LINE_BYTES + 1) + b"\n")
    assert bytes(next(runs)) == b"a\n"
    with pytest.raises(DecodeError, match="a line is longer than 65536 bytes") as caught:
        next(runs)
    assert caught.value.offset == 2
