"""Pieces hold just the events that went in, as the description of the wire says."""

from __future__ import annotations

import numpy as np
import pytest

from aevents.types import EventBatch, Frame, Sensor, Span
from aevents.viewer.packing import DENSE, FAR_EVENTS, JUMP, PICTURE, SPARSE, Packer, deflated
from tests.viewer.pages import SENSOR, some_events, unpacked

SPAN = Span(0, 10_000)


def batch_of(*events: tuple[int, int, int, int], sensor: Sensor = SENSOR) -> EventBatch:
    t, x, y, p = zip(*events, strict=True)
    return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=sensor)


def test_a_sparse_piece_bit_by_bit() -> None:
    batch = batch_of((100, 0, 0, 0), (150, 63, 47, 1), (199, 3, 1, 1))
    piece = Packer(5).events([batch], Span(100, 200), arrived=2.5)
    head = bytes.fromhex(
        "01 05 0000 4000 3000 00000000 03000000 0000000000005940 0000000000006940 0c000000 00000000"
    )
    words = np.array([0, 47 * 64 + 63 | 1 << 21 | 512 << 22, 67 | 1 << 21 | 1013 << 22], "<u4")
    assert piece.data == head + words.tobytes()
    assert (piece.seq, piece.events, piece.on, piece.arrived) == (0, 3, 2, 2.5)
    assert not piece.is_picture


def test_every_event_of_many_batches_is_in_a_sparse_piece() -> None:
    batches = [some_events(500, seed=seed) for seed in range(3)]
    seen = unpacked(Packer(0).events(batches, SPAN).data)
    assert seen.kind == SPARSE
    assert seen.count == 1_500
    expected = [(e.x, e.y, e.p) for batch in batches for e in batch]
    assert seen.pixels == expected
    ticks = np.concatenate([batch.t for batch in batches]) * 1024 // 10_000
    assert (seen.payload >> 22).tolist() == ticks.tolist()


def test_times_off_the_piece_go_to_its_ends() -> None:
    seen = unpacked(Packer(0).events([batch_of((0, 1, 1, 1), (9_999, 1, 1, 1))], Span(50, 60)).data)
    assert (seen.payload >> 22).tolist() == [0, 1023]
    nothing = unpacked(Packer(0).events([batch_of((50, 1, 1, 1))], Span(50, 50)).data)
    assert (nothing.payload >> 22).tolist() == [0]


def test_more_events_are_counted_in_planes() -> None:
    batch = some_events(FAR_EVENTS + 1)
    packer = Packer(0)
    for _ in range(2):  # the counters begin anew
        seen = unpacked(packer.events([batch], SPAN).data)
        assert (seen.kind, seen.count) == (DENSE, FAR_EVENTS + 1)
        for plane, on in enumerate((False, True)):
            counts = np.zeros((48, 64), int)
            np.add.at(counts, (batch.y[batch.p == on], batch.x[batch.p == on]), 1)
            assert (seen.payload[plane] == counts).all()


def test_planes_stop_at_255() -> None:
    count = FAR_EVENTS + 300
    pixel = np.zeros(count, int)
    pixel[:300] = 5
    batch = EventBatch.from_columns(
        t=np.arange(count), x=pixel, y=pixel, p=pixel > 0, sensor=Sensor(8, 8)
    )
    packer = Packer(0)
    for _ in range(2):
        seen = unpacked(packer.events([batch], Span(0, count)).data)
        assert seen.payload[0, 0, 0] == seen.payload[1, 5, 5] == 255
        assert int(seen.payload.astype(int).sum()) == 510


def test_events_off_the_sensor_are_left_out_and_counted() -> None:
    packer = Packer(0)
    batch = batch_of((0, 1, 1, 1), (1, 64, 0, 1), (2, 0, 48, 0), (3, 63, 47, 0))
    seen = unpacked(packer.events([batch], SPAN).data)
    assert seen.pixels == [(1, 1, True), (63, 47, False)]
    assert packer.outside == 2


def test_a_sensor_of_no_known_size_grows_with_what_is_seen() -> None:
    packer = Packer(0)
    for event, size in (((0, 3, 1, 1), (4, 2)), ((0, 1, 9, 1), (4, 10)), ((0, 0, 0, 0), (4, 10))):
        seen = unpacked(packer.events([batch_of(event, sensor=Sensor())], SPAN).data)
        assert (seen.width, seen.height) == size
        assert seen.pixels == [(event[1], event[2], bool(event[3]))]


def test_large_sensors_go_dense() -> None:
    batch = batch_of((0, 2_500, 1_999, 1), sensor=Sensor(2_560, 2_000))
    seen = unpacked(Packer(0).events([batch], SPAN).data)
    assert (seen.kind, seen.payload[1, 1_999, 2_500]) == (DENSE, 1)


def test_no_events_move_time_only() -> None:
    seen = unpacked(Packer(0).events([], Span(5, 9)).data)
    assert (seen.kind, seen.count, seen.start, seen.stop) == (SPARSE, 0, 5.0, 9.0)


def test_pieces_are_numbered_and_may_say_that_time_jumped() -> None:
    packer = Packer(0)
    first, second = packer.events([], SPAN), packer.events([], SPAN, jump=True)
    assert (first.seq, second.seq) == (0, 1)
    assert (unpacked(first.data).flags, unpacked(second.data).flags) == (0, JUMP)
    assert first.jumped().data[4:] == first.data[4:]
    assert unpacked(first.jumped().data).flags == JUMP
    packer.seq = 0xFFFF_FFFF
    assert packer.events([], SPAN).seq == 0xFFFF_FFFF
    assert packer.events([], SPAN).seq == 0


@pytest.mark.parametrize(
    ("array", "mode", "channels"),
    [
        (np.arange(12, dtype=np.uint8).reshape(3, 4), "intensity", 1),
        (np.arange(36, dtype=np.uint8).reshape(3, 4, 3), "intensity", 3),
        (np.arange(12, dtype=np.float32).reshape(3, 4), "intensity", 1),
    ],
)
def test_pictures_come_as_they_are(array: np.ndarray, mode: str, channels: int) -> None:
    piece = Packer(0).picture(Frame(array, Span(1, 2), Sensor(4, 3), mode))
    seen = unpacked(piece.data)
    assert (seen.kind, seen.width, seen.height, seen.count) == (PICTURE, 4, 3, channels)
    assert (seen.payload.squeeze() == array).all()
    assert piece.is_picture


def test_pictures_of_opencv_are_turned_to_rgb_and_frames_are_painted() -> None:
    blue = np.zeros((3, 4, 3), np.uint8)
    blue[..., 0] = 200
    seen = unpacked(Packer(0).picture(Frame(blue, Span(0, 1), Sensor(4, 3), "bgr")).data)
    assert seen.payload[0, 0].tolist() == [0, 0, 200]
    counts = np.zeros((2, 3, 4), np.float32)
    counts[1, 2, 3] = 4
    painted = unpacked(Packer(0).picture(Frame(counts, Span(0, 1), Sensor(4, 3), "polarity")).data)
    assert painted.count == 3
    red, green, blue_part = painted.payload[2, 3].tolist()
    assert red > green > blue_part  # ON is orange
    with pytest.raises(ValueError, match="a picture is"):
        Packer(0).picture(Frame(np.zeros((5, 3, 4)), Span(0, 1), Sensor(4, 3), "voxel_grid"))


def test_what_is_deflated_is_inflated() -> None:
    from zlib import decompress

    plain = np.arange(100_000, dtype=np.uint8)
    assert decompress(deflated(plain), -15) == plain.tobytes()
