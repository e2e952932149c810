"""Rows of text: which lines are events, which nothing, which bad; and what is written."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aevents._native import twins

from ..kernels import COMPILED, arrays, implementation, state_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    Event = tuple[int, int, int, int]

I64_MAX = 2**63 - 1


def read(
    kernels: ModuleType, text: bytes, *, capacity: int = 32768, piece: int = 0, **layout: object
) -> tuple[list[Event], dict[str, int]]:
    """Read all whole lines, handed over in growing views that end every `piece` bytes."""
    state, out = kernels.text_state(**layout), kernels.columns(capacity)
    events: list[Event] = []
    at = 0
    for end in [*range(0, len(text), piece or len(text) + 1), len(text)]:
        while True:
            last, at = at, kernels.text_decode(text[:end], at, state, out)
            columns = (column[: out.n].tolist() for column in (out.t, out.x, out.y, out.p))
            events += zip(*columns, strict=True)
            if at == last:
                break
    assert at == text.rfind(b"\n") + 1
    return events, state_of(state)


ROWS: dict[str, tuple[dict[str, Any], bytes, list[Event]]] = {
    "plain": ({}, b"17,3,4,1\n18,65535,0,0\n", [(17, 3, 4, 1), (18, 65535, 0, 0)]),
    "CRLF": ({}, b"17,3,4,1\r\n\r\n18,1,2,0\r\n", [(17, 3, 4, 1), (18, 1, 2, 0)]),
    "no newline at the end": ({}, b"17,3,4,1\n18,1,2,0", [(17, 3, 4, 1)]),
    "empty lines and comments": (
        {},
        b"\n# t,x,y,p\n  \t\n%geometry:1,2\n 17,3,4,1\n  # x\n",
        [(17, 3, 4, 1)],
    ),
    "blanks around": ({}, b" 17 ,\t3, 4 , 1 \n", [(17, 3, 4, 1)]),
    "semicolons": ({"separator": ";"}, b"17;3;4;1\n", [(17, 3, 4, 1)]),
    "tabs": ({"separator": "\t"}, b"17\t3 \t 4\t1\n", [(17, 3, 4, 1)]),
    "runs of blanks": ({"separator": " "}, b"  17 3\t\t4   1 \n", [(17, 3, 4, 1)]),
    "other orders": ({"columns": "xypt"}, b"3,4,1,17\n", [(17, 3, 4, 1)]),
    "other columns": (
        {"columns": ["id", "x", "y", "?", "p", "t", "note"]},
        b"a b c,3,4,,1,17,\nnan,3,4,-,0,18,x y\n",
        [(17, 3, 4, 1), (18, 3, 4, 0)],
    ),
    "other columns, blanks": (
        {"columns": ["id", "t", "x", "y", "p", "z"], "separator": " "},
        b"a 17 3 4 1 z\n",
        [(17, 3, 4, 1)],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_read(kernels: ModuleType, name: str) -> None:
    layout, text, events = ROWS[name]
    assert read(kernels, text, **layout)[0] == events
    assert read(kernels, text, **layout)[1]["bad_lines"] == 0


SECONDS = {
    b"11.718656": 11718656,
    b"0": 0,
    b"7": 7000000,
    b"7.": 7000000,
    b".5": 500000,
    b"0.000001": 1,
    b"0.0000004": 0,
    b"0.0000005": 1,
    b"0.00000049999999999": 0,
    b"0.003811000": 3811,
    b"1.9999995": 2000000,
    b"-1.9999995": -2000000,
    b"-0.0000004": 0,
    b"+3.25": 3250000,
    b"1700000000.123456789": 1700000000123457,
    b"1.5e-05": 15,
    b"1.171865600000000000e+07": 11718656000000,
    b"1.171865600000000000E+01": 11718656,
    b"0e999999999999999999999999": 0,
    b"1e-999999999999999999999999": 0,
    b"5e-7": 1,
    b"4.99e-7": 0,
    b"5e-8": 0,
    b"9223372036854.775807": I64_MAX,
    b"9223372036854.7758074": I64_MAX,
    b"-9223372036854.775808": -(2**63),
    b"0000000000000000000000000000000000001.000001": 1000001,
    b"1" + 20 * b"0" + b"e-20": 1000000,
    b"0." + 60 * b"0" + b"1e61": 1000000,
}
WHOLE = {
    b"0": 0,
    b"-0": 0,
    b"12345678": 12345678,
    b"123456789": 123456789,
    b"1234567890123456": 1234567890123456,
    b"12345678901234567": 12345678901234567,
    b"9223372036854775807": I64_MAX,
    b"-9223372036854775808": -(2**63),
    b"17.000": 17,
    b"17.": 17,
    b"1.7e1": 17,
    b"170e-1": 17,
    b"00000000000000000000000017": 17,
}
NO_NUMBERS = [
    b"", b".", b"-", b"+", b"e5", b"1e", b"1e+", b"--1", b"+-1", b"1 2", b"0x10", b"1_000", b"nan",
    b"inf", b"1.2.3", b"1e5.", b"1e1e1", b"12a", b"a12", b"\x00", b"1\x00", b"\xb2", b"1-",
    b"99999999999999999999", b"1e40", b"1e99999999999999999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("text", SECONDS)
@pytest.mark.parametrize("after", [b"", b",", b" \t"])
def test_seconds_are_exact(kernels: ModuleType, text: bytes, after: bytes) -> None:
    columns = ["x", "y", "p", "t", *(["z"] if after == b"," else [])]
    events, state = read(kernels, b"1,2,0," + text + after + b"\n", columns=columns, seconds=True)
    assert events == [(SECONDS[text], 1, 2, 0)]
    assert state["bad_lines"] == 0


@pytest.mark.parametrize("text", WHOLE)
def test_microseconds_are_exact(kernels: ModuleType, text: bytes) -> None:
    assert read(kernels, text + b",1,2,0\n")[0] == [(WHOLE[text], 1, 2, 0)]
    assert read(kernels, b"0,1,2," + text + b"\n", columns="pxyt")[0] == [(WHOLE[text], 1, 2, 0)]


BAD = [
    *(text + b",1,2,0" for text in [*NO_NUMBERS, b"1.5", b"1e-1", b"9223372036854775808"]),
    *(b"1," + text + b",2,0" for text in [*NO_NUMBERS, b"65536", b"-1", b"1.5", b"6e5"]),
    *(b"1,2," + text + b",0" for text in [*NO_NUMBERS, b"65536", b"-1", b"1.5"]),
    *(b"1,2,3," + text for text in [*NO_NUMBERS, b"2", b"-2", b"0.5", b"TRUE", b"truee", b"t"]),
    b"1,2,3", b"1,2,3,0,", b"1,2,3,0,5", b"1,2,3,0 5", b"1;2;3;0", b"t,x,y,p", b"1,2,3,0\r\r",
    b"1\r,2,3,0", b"1,2,,0", b",1,2,3,0",
]  # fmt: skip


@pytest.mark.parametrize("line", BAD)
def test_bad_lines_are_skipped_and_counted(kernels: ModuleType, line: bytes) -> None:
    text = b"1,2,3,0\n" + line + b"\n5,6,7,1\n" + line + b"\n"
    events, state = read(kernels, text, offset=100)
    assert events == [(1, 2, 3, 0), (5, 6, 7, 1)]
    assert (state["bad_lines"], state["first_bad"]) == (2, 108)
    assert state["offset"] == 100 + len(text)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_seconds_that_are_no_number_are_bad(kernels: ModuleType, text: bytes) -> None:
    events, state = read(kernels, b"1,2,0," + text + b"\n", columns="xypt", seconds=True)
    assert (events, state["bad_lines"]) == ([], 1)


@pytest.mark.parametrize("line", [b"1 2 3", b"1 2 3 0 5", b"1,2,3,0", b"1 2 3 0\r\r"])
def test_bad_lines_between_blanks(kernels: ModuleType, line: bytes) -> None:
    events, state = read(kernels, line + b"\n1 2 3 0\n", separator=" ")
    assert (events, state["bad_lines"], state["first_bad"]) == ([(1, 2, 3, 0)], 1, 0)


def test_a_carriage_return_inside_a_column_that_is_skipped_is_bad(kernels: ModuleType) -> None:
    events, state = read(kernels, b"1,2,3,0,a\rb\n", columns=[*"txyp", "z"])
    assert (events, state["bad_lines"]) == ([], 1)


POLARITIES = {
    b"0": 0, b"1": 1, b"-1": 0, b"+1": 1, b"1.0": 1, b"-1.000": 0, b"0e0": 0, b"true": 1,
    b"false": 0, b"True": 1, b"False": 0, b"00": 0, b"01": 1,
}  # fmt: skip


@pytest.mark.parametrize("text", POLARITIES)
def test_polarities(kernels: ModuleType, text: bytes) -> None:
    assert read(kernels, b"1,2,3," + text + b"\n")[0] == [(1, 2, 3, POLARITIES[text])]
    assert read(kernels, text + b",1,2,3\n", columns="ptxy")[0] == [(1, 2, 3, POLARITIES[text])]


def test_reading_stops_when_the_columns_are_full_and_goes_on(kernels: ModuleType) -> None:
    text = b"".join(b"%d,%d,7,1\n" % (i, i % 640) for i in range(500))
    expected = [(i, i % 640, 7, 1) for i in range(500)]
    assert read(kernels, text, capacity=100)[0] == expected
    assert read(kernels, text, piece=13)[0] == expected


def test_a_text_without_a_newline_is_left_alone(kernels: ModuleType) -> None:
    for text in (b"", b"1,2,3,0", b"\x00" * 100):
        assert read(kernels, text)[0] == []


@pytest.mark.parametrize(
    ("name", "layout", "start"),
    [
        ("faery_csv.csv", {"separator": ","}, 19),
        ("rpg_txyp.txt", {"separator": " ", "seconds": True}, 0),
    ],
)
def test_files_of_others(
    kernels: ModuleType, recordings: Path, name: str, layout: dict[str, Any], start: int
) -> None:
    text = (recordings / name).read_bytes()[start:]
    text = text[: text.index(b"\n", 40_000) + 1]
    state, out = kernels.text_state(**layout), kernels.columns()
    assert kernels.text_decode(text, 0, state, out) == len(text)
    events = out.t[: out.n], out.x[: out.n], out.y[: out.n], out.p[: out.n]
    assert (out.t[0], out.x[0], out.y[0], out.p[0]) == (11718656, 874, 200, 0)
    assert kernels.text_encode(*events, state) == text.replace(b"\r", b"")


# ---- writing -----------------------------------------------------------------------------------

EVENTS = [
    (17, 3, 4, 1),
    (17, 0, 65535, 0),
    (-5, 10, 100, 1),
    (I64_MAX, 1, 2, 0),
    (-(2**63), 9, 8, 1),
]


def written(kernels: ModuleType, events: list[Event], **layout: object) -> bytes:
    text: bytes = kernels.text_encode(*arrays(events), kernels.text_state(**layout))
    return text


def test_rows_are_written(kernels: ModuleType) -> None:
    assert written(kernels, EVENTS) == (
        b"17,3,4,1\n17,0,65535,0\n-5,10,100,1\n9223372036854775807,1,2,0\n"
        b"-9223372036854775808,9,8,1\n"
    )
    assert written(kernels, EVENTS, columns="xytp", separator=" ", seconds=True) == (
        b"3 4 0.000017 1\n0 65535 0.000017 0\n10 100 -0.000005 1\n1 2 9223372036854.775807 0\n"
        b"9 8 -9223372036854.775808 1\n"
    )
    assert written(kernels, EVENTS[:1], columns="pyxt") == b"1,4,3,17\n"
    assert written(kernels, []) == b""


@pytest.mark.parametrize("seconds", [False, True])
def test_times_of_every_length_are_written(kernels: ModuleType, seconds: bool) -> None:
    sizes = {10**k + d for k in range(19) for d in (-1, 0, 1)} | {I64_MAX}
    events = [(sign * size, 1, 2, 0) for size in sorted(sizes) for sign in (1, -1)]
    text = written(kernels, events, seconds=seconds)
    expected = [
        f"{'-' if t < 0 else ''}{abs(t) // 10**6}.{abs(t) % 10**6:06d}" if seconds else str(t)
        for t, _, _, _ in events
    ]
    assert [line.split(",")[0] for line in text.decode().splitlines()] == expected
    assert read(kernels, text, seconds=seconds)[0] == events


EVENT = st.tuples(
    st.one_of(st.integers(-(2**63), I64_MAX), st.integers(0, 10**7)),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.integers(0, 1),
)
LAYOUTS = st.fixed_dictionaries(
    {
        "columns": st.permutations("txyp"),
        "separator": st.sampled_from(",;\t "),
        "seconds": st.booleans(),
    }
)


@settings(max_examples=50, deadline=None)
@given(events=st.lists(EVENT, max_size=40), layout=LAYOUTS)
def test_what_is_written_reads_back(events: list[Event], layout: dict[str, Any]) -> None:
    text = written(twins, events, **layout)
    assert read(twins, text, **layout)[0] == events
    for isa in COMPILED:
        assert written(implementation(isa), events, **layout) == text
        assert read(implementation(isa), text, piece=50, **layout)[0] == events


# ---- C against the twin ------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(-2, 70000).map(str),
    st.integers(-(2**64), 2**64).map(str),
    st.from_regex(r"[+-]?[0-9]{0,12}\.[0-9]{0,10}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["true", "False", "0", "1", "-1"]),
    st.text("0159.eE+- \t\r#%t,", max_size=9),
)
LINES = st.one_of(
    st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.tuples(NUMBERS, *[st.integers(0, 1).map(str)] * 3),
    st.lists(NUMBERS, max_size=6),
)
TEXTS = st.lists(LINES, max_size=12).map(
    lambda lines: "\n".join(",".join(line) for line in lines).encode()
)


@pytest.mark.skipif(not COMPILED, reason="the C kernels are not built here")
@settings(max_examples=400, deadline=None)
@given(
    text=st.one_of(TEXTS, TEXTS.map(lambda text: text + b"\n"), st.binary(max_size=200)),
    seconds=st.booleans(),
    separator=st.sampled_from(",;\t "),
    columns=st.sampled_from([[*"txyp"], [*"ptyx"], ["a", *"txyp"], [*"xytp", "b"]]),
)
@example(text=b"0.00000050000000000000,1,2,0\n", seconds=True, separator=",", columns=[*"txyp"])
def test_c_reads_what_the_twin_reads(
    text: bytes, seconds: bool, separator: str, columns: list[str]
) -> None:
    if separator != ",":
        text = text.replace(b",", separator.encode())
    layout: dict[str, Any] = {"seconds": seconds, "separator": separator, "columns": columns}
    expected = read(twins, text, **layout)
    for isa in COMPILED:
        assert read(implementation(isa), text, **layout) == expected
        assert read(implementation(isa), text, piece=7, **layout) == expected


@pytest.mark.parametrize("isa", COMPILED)
def test_no_cut_makes_c_read_outside(isa: str) -> None:
    """Copies that end where the text is cut: a read past the end is found by the sanitizers."""
    kernels = implementation(isa)
    text = b"11.718656,3,4,1\r\n 1e-5 , 5,6 ,true\n#\n12.0000005,65535,1,-1\nbad\n"
    state = kernels.text_state(seconds=True)
    for cut in range(len(text)):
        for ending in (b"", b"\n", b"\r\n"):
            piece = np.frombuffer(text[:cut] + ending, np.uint8).copy()
            assert kernels.text_decode(piece, 0, state, kernels.columns(100)) <= len(piece)


# ---- rows that C reads quickly, and those next to them ------------------------------------------

ORDERS = ["".join(order) for order in itertools.permutations("txyp")]


def row_of(columns: str, separator: str, **fields: str) -> bytes:
    return separator.join(fields[name] for name in columns).encode()


@pytest.mark.parametrize("columns", ORDERS)
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_numbers_of_every_length_are_read_in_any_order(
    kernels: ModuleType, columns: str, separator: str, ending: bytes
) -> None:
    events = [
        (int("1234567890123456789"[:digits]), int("65535"[:x]), int("40976"[:y]), digits % 2)
        for digits in range(1, 20)
        for x in range(1, 6)
        for y in range(1, 6)
    ]
    for seconds in (False, True):
        rows = [
            row_of(columns, separator, t=time, x=str(x), y=str(y), p=str(p))
            for t, x, y, p in events
            for time in [f"{t // 10**6}.{t % 10**6:06d}" if seconds else str(t)]
        ]
        text = ending.join([*rows, b""])
        layout: dict[str, Any] = {"columns": columns, "separator": separator, "seconds": seconds}
        found, state = read(kernels, text, **layout)
        assert found == events
        assert state["bad_lines"] == 0


@pytest.mark.parametrize("decimals", range(1, 13))
def test_decimals_of_every_length_are_rounded(kernels: ModuleType, decimals: int) -> None:
    digits = "987654350001"[:decimals]
    text = f"12.{digits},1,2,0\n".encode() * 200
    expected = 12_000_000 + [
        900000, 980000, 987000, 987600, 987650, 987654, 987654, 987654, 987654, 987654, 987654,
        987654,
    ][decimals - 1]  # fmt: skip
    assert read(kernels, text, seconds=True)[0] == [(expected, 1, 2, 0)] * 200
    half = f"12.9876545{'0' * (decimals - 1)},1,2,0\n".encode() * 200
    assert read(kernels, half, seconds=True)[0] == [(12_987_655, 1, 2, 0)] * 200


# One thing about a row that is as it should not be, or is so but seldom.
NEARLY: list[bytes] = [
    b"1,2,3,1 \n", b" 1,2,3,1\n", b"1, 2,3,1\n", b"1,2,3,-1\n", b"1,2,3,+1\n", b"1,2,3,01\n",
    b"1,2,3,2\n", b"1,2,3,9\n", b"1,2,3,:\n", b"1,2,3,/\n", b"1,2,3,\n", b"1,2,,1\n", b",2,3,1\n",
    b"1,,3,1\n", b"1;2,3,1\n", b"1,2;3,1\n", b"1,2,3;1\n", b"1,2,3,1\r\r\n", b"1,2,3,1\r",
    b"1,2,3,1,\n", b"1,2,3,1,5\n", b"1,2,3\n", b"1\n", b"\n", b"\r\n", b"# 1,2,3,1\n", b"%\n",
    b"-1,2,3,1\n", b"1.0,2,3,1\n", b"1e3,2,3,1\n", b"1.5,2,3,1\n", b"1,65535,65535,1\n",
    b"1,65536,3,1\n", b"1,2,65536,1\n", b"1,99999999,3,1\n", b"1,00000002,3,1\n",
    b"1,000000002,3,1\n", b"1,2,000000003,1\n", b"9999999999999999,2,3,1\n",
    b"99999999999999999,2,3,1\n", b"9223372036854775807,2,3,1\n",
    b"9223372036854775808,2,3,1\n", b"00000000000000000000000000000001,2,3,1\n",
    b"\xb1,2,3,1\n", b"1,2,3,\xb1\n", b"1\x00,2,3,1\n", b"1,2,3,1\n\n1,2,3,0\n",
    b"1.,2,3,1\n", b".5,2,3,1\n", b"1.5.5,2,3,1\n", b"999999999999.999999,2,3,1\n",
    b"9999999999999.999999,2,3,1\n", b"1.00000049999999,2,3,1\n", b"1.5e3,2,3,1\n",
    b"1,2,3,11\n", b"1,9999999,3,1\n", b"1,10000002,3,1\n", b"1,0000002,3,1\n",
    b"1,2,10000003,1\n", b"1,2,3,1" + b"," * 80 + b"\n", b"99999999.99999999,2,3,1\n",
    b"0000000000000001,0000002,00000003,1\n" * 8, b"99999999.9999995,2,3,1\n",
    b"100000000.5,2,3,1\n",
]  # fmt: skip


@pytest.mark.parametrize("isa", COMPILED)
@pytest.mark.parametrize("seconds", [False, True])
def test_c_leaves_the_quick_way_and_takes_it_again(isa: str, seconds: bool) -> None:
    usual = b"1.000000,2,3,1\n" if seconds else b"1000000,2,3,1\n"
    for place, line in enumerate(NEARLY):
        text = usual * 3 + line + usual * 3 + line + line + usual
        text += usual * (place % 4) + line + usual * 150
        expected = read(twins, text, seconds=seconds)
        assert read(implementation(isa), text, seconds=seconds) == expected


@pytest.mark.parametrize("isa", COMPILED)
def test_a_row_is_the_same_wherever_the_text_is_cut_and_begins(isa: str) -> None:
    """Copies that end where the text does: a read outside is found by the sanitizers."""
    kernels = implementation(isa)
    rows = [
        row_of("txyp", ",", t="1234567890123456"[:t], x="1279"[:x], y="719"[:y], p="1")
        for t in range(1, 17)
        for x, y in ((1, 1), (4, 3))
    ]
    for row in rows:
        for before in range(40):
            for rest in (b"\n", b"\r\n", b"\n" * 40, b"\n1,2,3", b""):
                text = b"#" * before + b"\n" * (before > 0) + row + rest
                piece = np.frombuffer(text, np.uint8).copy()
                state, out = kernels.text_state(), kernels.columns(100)
                assert kernels.text_decode(piece, 0, state, out) == text.rfind(b"\n") + 1
                assert out.n == (rest != b"")
                assert state.bad_lines == 0


@pytest.mark.parametrize("isa", COMPILED)
def test_quick_rows_stop_where_the_columns_are_full(isa: str) -> None:
    text = b"".join(b"%d,%d,7,1\n" % (1000 + i, i % 640) for i in range(500))
    for capacity in range(65, 100):
        found = read(implementation(isa), text, capacity=capacity)
        assert found == read(twins, text, capacity=capacity)


PLAIN = st.tuples(
    st.one_of(st.integers(0, 10**7), st.integers(0, 10**14)),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.integers(0, 1),
)


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.one_of(PLAIN, PLAIN, PLAIN, EVENT), min_size=1, max_size=12),
    times=st.sampled_from([1, 40]),
    layout=LAYOUTS,
    at=st.integers(0, 10**6),
    byte=st.sampled_from([*b"0159.,; \t\r\n#%-+e\x00\xb0\xff"]),
)
def test_c_reads_what_the_twin_reads_with_one_byte_changed(
    rows: list[Event], times: int, layout: dict[str, Any], at: int, byte: int
) -> None:
    text = bytearray(written(twins, rows, **layout) * times)
    text[at % len(text)] = byte
    expected = read(twins, bytes(text), **layout)
    for isa in COMPILED:
        assert read(implementation(isa), bytes(text), **layout) == expected


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"columns": "txy"}, "each of t, x, y, p once"),
    ({"columns": "txypp"}, "each of t, x, y, p once"),
    ({"columns": [*"txyp", *"z" * 61]}, "at most 64 columns"),
    ({"separator": "|"}, "separator must be"),
    ({"separator": ", "}, "separator must be"),
]


@pytest.mark.parametrize(("layout", "message"), WRONG)
def test_layouts_that_make_no_sense_are_refused(
    kernels: ModuleType, layout: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kernels.text_state(**layout)


def test_a_start_outside_the_text_is_refused(kernels: ModuleType) -> None:
    for start in (-1, 5):
        with pytest.raises(ValueError, match="outside the 4 bytes"):
            kernels.text_decode(b"1,2\n", start, kernels.text_state(), kernels.columns(100))
