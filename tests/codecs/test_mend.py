"""What is done at a doubtful word, in words of EVT 2.0; tests/laws/test_damage.py has the rest."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from aevents._native import kernels
from aevents.codecs.evt2 import LAYOUT
from aevents.codecs.evt3 import LAYOUT as LAYOUT_3
from aevents.codecs.judge import VOTERS
from aevents.codecs.mend import LOOK_BYTES, PATIENCE, Verdict, WordMender, skipped
from aevents.types import Sensor

HIGH = 0x8 << 28
SENSOR = Sensor(640, 480)


def event(low: int, x: int = 5, y: int = 7) -> int:
    return low << 22 | x << 11 | y


def scene(start: int, periods: int) -> list[int]:
    """Return words of a dense stream: 64 events under each TIME_HIGH."""
    words = []
    for period in range(start, start + periods):
        words += [HIGH | period, *(event(low, low * 9, low * 7) for low in range(64))]
    return words


def packed(words: list[int]) -> memoryview:
    return memoryview(struct.pack(f"<{len(words)}I", *words))


def mender(high: int = 0, low: int = 0, *, started: bool = True) -> WordMender:
    state = kernels.evt2_state()
    state.started, state.high, state.low = int(started), high, low
    return WordMender(LAYOUT, state, SENSOR)


def settle(one: WordMender, words: list[int], *, final: bool = False) -> Verdict | None:
    return one.settle(packed(words), 0, final=final)


def test_a_true_time_is_taken() -> None:
    verdict = settle(mender(99, 63), [HIGH | 100_000, *scene(100_000, 9)[1:]])
    assert verdict == Verdict(struct.pack("<I", HIGH | 100_000), 4)


def test_a_flipped_bit_of_a_time_is_undone() -> None:
    words = scene(100, 9)
    words[0] ^= 1 << 20
    verdict = settle(mender(99, 63), words)
    assert verdict == Verdict(packed([HIGH | 100]).tobytes(), 4, "mended_times")


def test_a_time_that_nothing_bears_out_is_left_out() -> None:
    words = [HIGH | 0x5555555, *scene(100, 9)]
    assert settle(mender(99, 63), words) == Verdict(b"", 4, "bad_times")


def test_a_missing_time_is_put_in() -> None:
    words = [*scene(100, 1)[1:], *scene(101, 8)]
    verdict = settle(mender(99, 63), words)
    assert verdict == Verdict(packed([HIGH | 100, words[0]]).tobytes(), 4, "mended_times")


def test_at_the_end_a_missing_time_is_guessed_by_a_long_fall() -> None:
    words = scene(100, 1)[1:]
    verdict = settle(mender(99, 63), words, final=True)
    assert verdict is not None
    assert verdict.what == "mended_times"
    assert settle(mender(99, 40), words, final=True) == Verdict(packed(words[:1]).tobytes(), 4)


def test_disorder_is_taken_as_it_is_and_soon_without_asking() -> None:
    one = mender(100, 60)
    words = [event(5), *([event(50), event(5)] * 40), event(62), *scene(101, 8)]
    for asked in range(PATIENCE):
        assert one._state.unsorted == 0, asked
        assert settle(one, words) == Verdict(packed(words[:1]).tobytes(), 4)
    assert one._state.unsorted == 1


def test_reserved_types_are_counted_and_soon_without_asking() -> None:
    one = mender(99, 63)
    words = [0x9 << 28, *scene(100, 9)]
    for _ in range(PATIENCE):
        assert settle(one, words) == Verdict(b"", 4, "unknown_words", bytes=4)
    assert one._state.lenient == 1


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_words_are_found_again(shift: int) -> None:
    data = packed(scene(100, 9)).tobytes()[4 - shift :]
    verdict = mender(99, 63).settle(memoryview(data), 0, final=False)
    assert verdict is not None
    assert (verdict.skip, verdict.what, verdict.bytes) == (shift + 4, "skipped_bytes", shift + 4)


def test_the_row_of_evt3_is_forgotten_where_bytes_are_skipped() -> None:
    state = kernels.evt3_state()
    state.started, state.high = 1, 100
    row = [0x8000 | 100] + [word for t in range(200) for word in (0x6000 | t, t, 0x2000 | 300 + t)]
    data = struct.pack(f"<{len(row)}H", *row)[1:]
    verdict = WordMender(LAYOUT_3, state, SENSOR).settle(memoryview(data), 0, final=True)
    assert verdict is not None
    assert (verdict.skip, state.foreign) == (3, 1)


def test_a_stretch_without_sense_is_left_out() -> None:
    noise = np.random.default_rng(0).bytes(4096)
    verdict = mender(99, 63).settle(memoryview(noise), 0, final=False)
    assert verdict == Verdict(b"", 4 * VOTERS, "skipped_bytes", bytes=4 * VOTERS)
    assert skipped(memoryview(b"12345"), None, 4).skip == 5


def test_a_time_that_was_skipped_is_put_in() -> None:
    data = packed([*scene(100, 1)[1:], *scene(101, 9)]).tobytes()[2:]
    verdict = mender(99, 63).settle(memoryview(data), 0, final=False)
    assert verdict is not None
    assert verdict.patch == packed([HIGH | 100]).tobytes()


def test_the_first_word_may_have_been_a_time() -> None:
    words = scene(100, 9)
    first = words[0] ^ 0x4 << 28
    verdict = settle(mender(started=False), [first, *words[1:]])
    assert verdict == Verdict(packed(words[:1]).tobytes(), 4, "mended_times")
    one = mender(started=False)
    assert settle(one, words[1:]) == Verdict(packed(words[1:2]).tobytes(), 4)
    assert one._state.unsorted == 1


def test_more_bytes_are_asked_for_until_there_are_enough() -> None:
    words = scene(100, 9)
    words[0] ^= 1 << 20
    for count in (1, VOTERS, 3 * 65):
        assert settle(mender(99, 63), words[:count]) is None
        assert settle(mender(99, 63), words[:count], final=True) is not None
    far = [words[0], *[event(63)] * (LOOK_BYTES // 4)]
    assert settle(mender(99, 63), far) is not None


def test_where_words_begin_is_asked_again_only_further_on() -> None:
    one = mender(99, 63)
    assert settle(one, [0x9 << 28, *scene(100, 9)]) is not None
    noise = memoryview(struct.pack("<I", 0x9 << 28) + np.random.default_rng(0).bytes(4096))
    near = one.settle(noise, 4, final=False)
    assert near is not None
    assert near.what == "unknown_words"
    far = one.settle(noise, 4 * VOTERS, final=False)
    assert far is not None
    assert far.what == "skipped_bytes"


def test_after_some_leaps_leaps_are_nothing_to_wonder_at() -> None:
    one = mender(99, 63)
    for start in (100_000, 200_000, 300_000):
        one._state.high = start - 50_000
        assert settle(one, scene(start, 9)) == Verdict(packed([HIGH | start]).tobytes(), 4)
    assert one._leaps == 3
    one._state.high = 350_000
    assert settle(one, scene(400_000, 9)) == Verdict(packed([HIGH | 400_000]).tobytes(), 4)


def test_a_clock_goes_by_way_of_its_top() -> None:
    top = (1 << 28) - 1
    words = [HIGH | top, HIGH | 0, *scene(100, 9)]
    assert settle(mender(99, 63), words) == Verdict(packed([HIGH | top]).tobytes(), 4)


def test_without_a_second_time_the_first_is_believed() -> None:
    words = [HIGH | 5, event(3)]
    verdict = settle(mender(started=False), words, final=True)
    assert verdict == Verdict(packed(words[:1]).tobytes(), 4)


def test_the_last_time_of_a_dense_stream_follows_on_the_one_before() -> None:
    words = scene(100, 1) + [event(63)] * 80
    words[0] ^= 1 << 3
    verdict = settle(mender(99, 63), words, final=True)
    assert verdict == Verdict(packed([HIGH | 100]).tobytes(), 4, "mended_times")
