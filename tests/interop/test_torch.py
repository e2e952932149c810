"""torch: what is counted on a device has the numbers of `Frames`; a data set loses nothing."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import aevents
from aevents import EventBatch, Frame, MissingExtraError, Sensor, Span, Stream
from aevents.codecs.evt3 import Evt3Encoder
from aevents.interop import torch as interop
from aevents.interop.torch import EventDataset, TensorFrame, TorchFrames
from aevents.operators.base import Chain, Map
from aevents.operators.frames import MODES, Frames, Mode
from aevents.operators.window import Window
from aevents.testing import assert_same, check_operator, cut_events, encode, example_events

torch.set_num_threads(1)  # other tests are on the other cores

SENSOR = Sensor(3, 2)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
FORKED = pytest.mark.filterwarnings(
    "ignore:.*fork.*:DeprecationWarning", "ignore:This DataLoader will create:UserWarning"
)
"""Workers of a process that has threads, and more of them than there are cores."""
DTYPES = {
    torch.float32: np.float32,
    torch.float16: np.float16,
    torch.float64: np.float64,
    torch.int32: np.int32,
    torch.int64: np.int64,
}


def as_frame(frame: TensorFrame) -> Frame:
    """Return the same as a frame on the CPU."""
    return Frame(frame.torch("cpu").numpy(), frame.span, frame.sensor, frame.mode)


def events_at(x: Sequence[int], y: Sequence[int], p: Sequence[int]) -> EventBatch:
    return EventBatch.from_columns(t=np.arange(len(x)), x=x, y=y, p=p, sensor=SENSOR)


# -- frames -----------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_frames_have_the_numbers_of_the_cpu(mode: Mode, dtype: torch.dtype, device: str) -> None:
    batches = [*cut_events(example_events(20_000), [7, 1_000, 0, 3_000])]
    ours: Chain[EventBatch, Frame] = Chain(
        [Window(duration_us=500_000), Frames(mode, dtype=DTYPES[dtype])]
    )
    there: Chain[EventBatch, TensorFrame] = Chain(
        [Window(duration_us=500_000), TorchFrames(device, mode, dtype=dtype)]
    )
    expected = [frame for batch in batches for frame in ours.feed(batch)] + [*ours.flush()]
    frames = [frame for batch in batches for frame in there.feed(batch)] + [*there.flush()]
    assert len(frames) > 3
    assert {frame.torch().device.type for frame in frames} == {device}
    assert {frame.torch().dtype for frame in frames} == {dtype}
    assert_same([as_frame(frame) for frame in frames], expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("mode", MODES)
def test_however_the_input_is_cut_the_frames_are_the_same(mode: Mode, device: str) -> None:
    check_operator(lambda: Chain([TorchFrames(device, mode), Map(as_frame)]))
    windows = check_operator(
        lambda: Chain([Window(duration_us=20_000), TorchFrames(device, mode), Map(as_frame)])
    )
    assert len(windows) > 3


@pytest.mark.parametrize("device", DEVICES)
def test_many_events_go_in_parts(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interop, "EVENTS_AT_ONCE", 1_000)
    events = example_events(10_500)
    operator, expected = TorchFrames(device, "signed"), Frames("signed")
    operator.add(events)
    expected.add(events)
    span = Span(0, 1)
    assert_same([as_frame(operator.read(span))], [expected.read(span)])


@pytest.mark.parametrize("device", DEVICES)
def test_a_frame_stays_what_it_is_while_the_next_is_counted(device: str) -> None:
    operator = TorchFrames(device, "polarity", dtype=torch.int32)
    operator.add(events_at([0, 2], [0, 1], [0, 1]))
    first = operator.read(Span(0, 2))
    operator.add(events_at([1], [1], [1]))
    second = operator.read(Span(2, 3))
    assert first.torch().tolist() == [[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]]
    assert second.torch().tolist() == [[[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]]


@pytest.mark.parametrize("device", DEVICES)
def test_events_off_the_sensor_are_left_out_and_counted(device: str) -> None:
    operator = TorchFrames(device, "polarity")
    operator.add(events_at([3, 0, 65535, 2], [0, 2, 65535, 1], [1, 1, 0, 0]))
    frame = operator.read(Span(0, 3)).torch()
    assert frame.nonzero().tolist() == [[0, 1, 2]]
    assert operator.counts == {"outside_frame": 3}


@pytest.mark.parametrize("device", DEVICES)
def test_coordinates_of_16_bits_are_places(device: str) -> None:
    sensor = Sensor(65_535, 2)
    operator = TorchFrames(device)
    operator.add(EventBatch.from_columns(t=[0], x=[65_534], y=[1], p=[1], sensor=sensor))
    assert operator.read(Span(0, 1)).torch().nonzero().tolist() == [[1, 65_534]]


@pytest.mark.parametrize("device", DEVICES)
def test_another_sensor_has_frames_of_its_own(device: str) -> None:
    operator = TorchFrames(device)
    operator.add(events_at([0], [0], [1]))
    assert operator.read(Span(0, 1)).shape == (2, 3)
    other = EventBatch.from_columns(t=[1], x=[4], y=[4], p=[0], sensor=Sensor(5, 6))
    (frame,) = operator.feed(other.as_window(Span(1, 2)))
    assert (frame.shape, frame.sensor) == ((6, 5), other.sensor)
    assert frame.torch()[4, 4] == 1


@pytest.mark.parametrize("device", DEVICES)
async def test_a_stream_takes_it_as_any_operator(device: str) -> None:
    events = example_events()
    windows = aevents.from_array(np.asarray(events), events.sensor).window(duration_us=20_000)
    frames = windows.through(lambda: TorchFrames(device, "binary"))
    expected = await windows.frames("binary").to_list()
    assert_same([as_frame(frame) async for frame in frames], expected)
    assert_same([as_frame(frame) for frame in frames.blocking()], expected)


@pytest.mark.gpu
def test_work_of_the_current_stream_comes_after_the_counting() -> None:
    events = example_events(200_000)
    operator, expected = TorchFrames("cuda"), Frames()
    expected.add(events)
    array = np.asarray(expected.read(Span(0, 1)))
    for _ in range(20):
        operator.add(events)
        with torch.cuda.stream(torch.cuda.Stream()):
            doubled = operator.read(Span(0, 1)).torch() * 2
        np.testing.assert_array_equal(doubled.cpu().numpy(), 2 * array)


def test_a_frame_says_what_it_is() -> None:
    operator = TorchFrames("cpu", "polarity")
    operator.add(events_at([0], [0], [1]))
    assert repr(operator.read(Span(0, 5))) == (
        "TensorFrame(polarity, shape (2, 2, 3), torch.float32 on cpu, Span(start=0, stop=5))"
    )


def test_no_input_makes_no_frame() -> None:
    assert TorchFrames("cpu").flush() == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "rgb"}, "one of count, signed, polarity, binary, not 'rgb'"),
        ({"dtype": torch.uint8}, "floating-point one, int32 or int64, not torch.uint8"),
        ({"dtype": torch.complex64}, "int32 or int64, not torch.complex64"),
    ],
)
def test_other_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TorchFrames("cpu", **options)  # type: ignore[arg-type]  # that is the point


def test_cuda_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch sees no CUDA device"):
        TorchFrames("cuda")


def test_a_sensor_of_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="sensor size is not known"):
        TorchFrames("cpu").feed(EventBatch.from_columns(t=[0], x=[0], y=[0], p=[0]))


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "aevents.interop.torch")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"torch is not .*: pip install 'aevents\[torch\]'"):
        importlib.import_module("aevents.interop.torch")


# -- data sets --------------------------------------------------------------------------------

COUNT, WINDOWS = 7, 5
"""Recordings, and windows in each."""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Recordings of which each window says by its events which it is: number, and window."""
    found = []
    for number in range(COUNT):
        t = np.arange(WINDOWS) * 10_000 + 5
        batch = EventBatch.from_columns(
            t=t, x=np.full(WINDOWS, number), y=range(WINDOWS), p=t > 0, sensor=Sensor(16, 8)
        )
        path = tmp_path / f"{number}.raw"
        path.write_bytes(encode(Evt3Encoder(), [batch]))
        found.append(path)
    return found


ALL = Counter((number, window) for number in range(COUNT) for window in range(WINDOWS))


def samples(path: Path) -> Stream[torch.Tensor]:
    windows = aevents.open(path).window(duration_us=10_000)
    return windows.frames().map(Frame.torch)


def labelled(recording: tuple[Path, int]) -> Stream[tuple[torch.Tensor, int]]:
    path, label = recording
    return samples(path).map(lambda tensor: (tensor, label))


def names(batches: Iterable[torch.Tensor]) -> list[tuple[int, int]]:
    """Return what the samples in these batches are called, in their order."""
    frames = torch.cat([*batches])
    return [(int(x), int(y)) for _, y, x in frames.nonzero().tolist()]


@pytest.mark.parametrize("workers", [0, 1, 3, COUNT + 1])
@FORKED
@pytest.mark.timeout(120)
def test_each_sample_comes_once_from_any_number_of_workers(paths: list[Path], workers: int) -> None:
    dataset = EventDataset(paths, samples)
    loader = DataLoader(dataset, batch_size=4, num_workers=workers)
    assert Counter(names(loader)) == ALL
    if workers < 2:
        assert names(loader) == sorted(ALL)


@pytest.mark.timeout(180)
def test_each_sample_comes_once_from_workers_that_are_spawned(paths: list[Path]) -> None:
    dataset = EventDataset(paths, samples, seed=3, pool=4)
    loader = DataLoader(dataset, num_workers=2, multiprocessing_context="spawn")
    found = names(loader)
    assert Counter(found) == ALL
    assert found != sorted(ALL)


def test_a_seed_says_the_order(paths: list[Path]) -> None:
    def order(seed: int, epoch: int = 0) -> list[tuple[int, int]]:
        dataset = EventDataset(paths, samples, seed=seed, pool=8)
        dataset.set_epoch(epoch)
        found = names(DataLoader(dataset))
        assert Counter(found) == ALL
        return found

    orders = [order(1), order(2), order(1, epoch=1)]
    assert order(1) == orders[0]
    assert len({tuple(one) for one in (*orders, sorted(ALL))}) == 4


def test_a_pool_mixes_recordings_and_none_keeps_them_together(paths: list[Path]) -> None:
    def changes(pool: int) -> int:
        found = names(DataLoader(EventDataset(paths, samples, seed=1, pool=pool)))
        return sum(one[0] != after[0] for one, after in pairwise(found))

    assert changes(1) == COUNT - 1
    assert changes(8) > 2 * COUNT
    assert changes(1_000) > 2 * COUNT


@FORKED
@pytest.mark.timeout(120)
def test_workers_that_stay_hear_of_the_next_epoch(paths: list[Path]) -> None:
    dataset = EventDataset(paths, samples, seed=1)
    loader = DataLoader(dataset, num_workers=2, persistent_workers=True)
    orders = []
    for epoch in (0, 1, 0):
        dataset.set_epoch(epoch)
        orders.append(names(loader))
        assert Counter(orders[-1]) == ALL
    assert orders[0] == orders[2] != orders[1]


def test_recordings_may_have_labels(paths: list[Path]) -> None:
    dataset = EventDataset([(path, 10 * number) for number, path in enumerate(paths)], labelled)
    for frames, labels in DataLoader(dataset, batch_size=WINDOWS):
        assert {x for x, _ in names([frames])} == {int(label) // 10 for label in labels}
        assert len(labels) == WINDOWS


def test_a_recording_that_is_left_early_is_closed(paths: list[Path]) -> None:
    closed = []

    def watched(path: Path) -> Stream[int]:
        def blocks() -> object:
            try:
                yield from range(10)
            finally:
                closed.append(path)

        return aevents.stream.stream_of(aevents.Origin("watched", blocking=blocks))  # type: ignore[arg-type]  # a generator is a source

    samples = iter(EventDataset(paths, watched, seed=1, pool=3))
    next(samples)
    assert closed == []
    del samples
    assert len(closed) == 1


def test_what_a_recording_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(EventDataset([tmp_path / "none.raw"], samples))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": 0}, "a pool is of 1 sample, or with a seed of more, not 0"),
        ({"pool": 5}, "with a seed of more, not 5"),
        ({"seed": -1}, "a seed is 0 or more, not -1"),
    ],
)
def test_a_data_set_of_other_options_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EventDataset([], samples, **options)
    with pytest.raises(ValueError, match="an epoch is 0 or more, not -1"):
        EventDataset([], samples).set_epoch(-1)
