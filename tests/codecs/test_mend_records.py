"""What is done at a doubtful record of DAT."""

from __future__ import annotations

import numpy as np
import pytest

from aevents import EventBatch, Sensor
from aevents.codecs.dat import DatDecoder, DatEncoder
from aevents.testing import encode

COUNT = 5_000
SCENE = EventBatch.from_columns(
    t=5_000_000 + 3 * np.arange(COUNT),
    x=np.arange(COUNT) % 640,
    y=np.arange(COUNT) % 480,
    p=np.arange(COUNT) % 2,
    sensor=Sensor(640, 480),
)
DATA = encode(DatEncoder(), [SCENE])
BODY = len(DATA) - 8 * COUNT


def read(data: bytes) -> tuple[list[int], DatDecoder]:
    decoder = DatDecoder()
    batches = [*decoder.feed(data), *decoder.flush()]
    return [t for one in batches for t in one.t.tolist()], decoder


@pytest.mark.parametrize("record", [1, 2_500, COUNT - 1])
def test_a_flipped_bit_of_a_time_is_mended(record: int) -> None:
    for bit in range(21, 32):
        data = bytearray(DATA)
        data[BODY + 8 * record + bit // 8] ^= 1 << bit % 8
        times, decoder = read(bytes(data))
        assert times == SCENE.t.tolist()
        assert decoder.counts == {"mended_times": 1}
        assert decoder.damage[0].offset == BODY + 8 * record


@pytest.mark.parametrize("lost", [1, 3, 7, 1001])
def test_records_are_found_again_behind_lost_bytes(lost: int) -> None:
    middle = BODY + 8 * 2_000
    times, decoder = read(DATA[:middle] + DATA[middle + lost :])
    assert len(times) >= COUNT - lost // 8 - 3
    assert set(times) <= set(SCENE.t.tolist())
    assert decoder.counts["skipped_bytes"] > 0
    assert abs(decoder.damage[0].offset - middle) < 64
