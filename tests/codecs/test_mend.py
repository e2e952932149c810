"""What is done at a doubtful word: seen in what a decoder makes of damaged EVT2."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import DecodeError, EventBatch, Sensor
from aevents.codecs.evt2 import CODEC, Evt2Decoder, Evt2Encoder
from aevents.codecs.mend import skipped
from aevents.testing import decode, encode

COUNT = 20_000
SCENE = EventBatch.from_columns(
    t=5_000_000 + np.arange(COUNT) // 10,
    x=np.arange(COUNT) % 640,
    y=np.arange(COUNT) % 480,
    p=np.arange(COUNT) % 2,
    sensor=Sensor(640, 480),
)
DATA = encode(Evt2Encoder(), [SCENE])
BODY = DATA.index(b"% end\n") + 6


def read(data: bytes) -> tuple[list[tuple[int, ...]], Evt2Decoder]:
    decoder = Evt2Decoder()
    batches = [*decoder.feed(data), *decoder.flush()]
    return [tuple(map(int, event)) for one in batches for event in one], decoder  # type: ignore[union-attr]  # no triggers


WHOLE, _ = read(DATA)


def a_high(number: int) -> int:
    words = np.frombuffer(DATA[BODY:], "<u4")
    return BODY + 4 * int(np.flatnonzero(words >> 28 == 8)[number])


def test_a_flipped_bit_of_time_high_is_mended() -> None:
    place = a_high(5)
    for bit in range(8, 28):
        data = bytearray(DATA)
        data[place + bit // 8] ^= 1 << bit % 8
        events, decoder = read(bytes(data))
        assert events == WHOLE
        assert decoder.counts == {"mended_times": 1}
        assert [one.offset for one in decoder.damage] == [place]


@pytest.mark.parametrize("lost", [1, 2, 3, 5, 1001])
def test_words_are_found_again_behind_lost_bytes(lost: int) -> None:
    middle = BODY + 4 * 10_000
    events, decoder = read(DATA[:middle] + DATA[middle + lost :])
    missing = len(set(WHOLE) - set(events))
    assert missing <= lost // 4 + 130
    assert decoder.counts["skipped_bytes"] > 0
    assert abs(decoder.damage[0].offset - middle) < 1024
    assert all(WHOLE[0][0] <= event[0] <= WHOLE[-1][0] for event in events)
    with pytest.raises(DecodeError) as caught:
        decode(CODEC, [DATA[:middle] + DATA[middle + lost :]], strict=True)
    assert caught.value.offset == decoder.damage[0].offset


def test_a_skip_is_of_the_shift_and_a_word() -> None:
    verdict = skipped(memoryview(bytes(1000)), 3, 4)
    assert (verdict.skip, verdict.what, verdict.bytes) == (7, "skipped_bytes", 7)
    assert skipped(memoryview(bytes(5)), 3, 4).skip == 5
