"""Arrays as tensors that share their memory: without a copy, without a warning."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.dlpack import from_dlpack

from aevents import EventBatch, Frame, Frames, MissingExtraError, Sensor, Span
from aevents._tensors import capsule_of, tensor_of, unlocked
from aevents.operators.frames import MODES
from aevents.testing import example_events

DTYPES = ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]

JAX = """
import jax, numpy
from aevents import Frames
from aevents.testing import example_events

for mode in ("count", "signed", "polarity"):
    (frame,) = Frames(mode).feed(example_events().as_window((0, 1)))
    array = jax.dlpack.from_dlpack(frame)
    shared = array.unsafe_buffer_pointer() == frame.array.ctypes.data
    print(shared, numpy.array_equal(array, frame.array))
"""
"""In a process of its own: jax starts threads, and other tests fork."""


def locked(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    array.flags.writeable = False
    return array


def frame(mode: str = "polarity") -> Frame:
    operator = Frames(mode)  # type: ignore[arg-type]  # one of MODES
    operator.add(example_events())
    return operator.read(Span(0, 1_000))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tensor_has_the_memory_and_the_values_of_a_read_only_array(dtype: str) -> None:
    array = locked(np.arange(24).reshape(2, 3, 4).astype(dtype))
    tensor = tensor_of(array, None)
    assert tensor.data_ptr() == array.ctypes.data
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert tensor.numpy().dtype == array.dtype
    assert tensor_of(array, "cpu").data_ptr() == array.ctypes.data
    assert not array.flags.writeable


@pytest.mark.parametrize("array", [np.arange(9)[::2], np.arange(12).reshape(3, 4).T], ids=str)
def test_strides_are_kept(array: npt.NDArray[np.int64]) -> None:
    tensor = tensor_of(locked(array), None)
    assert tensor.data_ptr() == array.ctypes.data
    assert tensor.tolist() == array.tolist()


def test_what_torch_cannot_hold_is_copied() -> None:
    assert tensor_of(locked(np.arange(5)[::-1]), None).tolist() == [4, 3, 2, 1, 0]


def test_nothing_is_a_tensor_too() -> None:
    assert tensor_of(locked(np.empty((0, 3), np.float32)), None).shape == (0, 3)


def test_a_tensor_keeps_the_memory_alive() -> None:
    tensor = tensor_of(locked(np.arange(1_000_000)), None)
    gc.collect()
    np.full(1_000_000, 7)
    assert int(tensor.sum()) == 499_999_500_000


def test_an_array_that_may_be_written_to_is_taken_as_it_is() -> None:
    array = np.arange(3)
    assert unlocked(array) is array
    assert unlocked(locked(array)).flags.writeable


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"torch is not .*: pip install 'aevents\[torch\]'"):
        frame().torch()
    with pytest.raises(MissingExtraError, match="torch is not installed"):
        example_events().torch()


@pytest.mark.parametrize("mode", MODES)
def test_a_frame_becomes_a_tensor_without_a_copy(mode: str) -> None:
    made = frame(mode)
    for tensor in (made.torch(), made.torch("cpu"), from_dlpack(made)):
        assert tensor.data_ptr() == made.array.ctypes.data
        np.testing.assert_array_equal(tensor.numpy(), made.array)
        assert tensor.dtype == torch.float32


@pytest.mark.timeout(120)
def test_a_frame_becomes_an_array_of_jax_without_a_copy() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", JAX], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("True True\n" * 3, "")


def test_a_frame_becomes_an_array_of_numpy_without_a_copy() -> None:
    made = frame()
    arrays: list[npt.NDArray[np.generic]] = [np.asarray(made), np.from_dlpack(made)]
    for array in arrays:
        assert array.ctypes.data == made.array.ctypes.data
        assert not array.flags.writeable
    assert np.from_dlpack(made, copy=True).ctypes.data != made.array.ctypes.data


def test_dlpack_says_that_a_frame_is_read_only_to_whom_understands_that() -> None:
    array = locked(np.arange(3))
    names = [
        repr(capsule_of(array, {"max_version": version})) for version in (None, (0, 8), (1, 0))
    ]
    assert ["versioned" in name for name in names] == [False, False, True]


def test_a_frame_of_the_old_dlpack_keeps_the_memory_alive() -> None:
    class Old:
        """What knows DLPack as it was before versions."""

        def __init__(self, frame: Frame) -> None:
            self._frame = frame

        def __dlpack__(self) -> object:
            return self._frame.__dlpack__()

        def __dlpack_device__(self) -> tuple[int, int]:
            return self._frame.__dlpack_device__()

    tensor = from_dlpack(Old(frame()))
    gc.collect()
    np.testing.assert_array_equal(tensor.numpy(), frame().array)


def test_a_batch_becomes_tensors_without_a_copy() -> None:
    batch = example_events()
    tensors = batch.torch()
    assert tensors._fields == ("t", "x", "y", "p")
    assert [one.dtype for one in tensors] == [torch.int64, torch.uint16, torch.uint16, torch.bool]
    columns: list[npt.NDArray[Any]]
    columns = [batch.t, batch.x, batch.y, batch.p]
    for tensor, column in zip(tensors, columns, strict=True):
        assert tensor.data_ptr() == column.ctypes.data
        np.testing.assert_array_equal(tensor.numpy(), column)
    assert batch.torch("cpu").x.long().sum() == batch.x.sum()


def test_an_empty_batch_becomes_empty_tensors() -> None:
    assert [len(one) for one in EventBatch.empty(Sensor(3, 2)).torch()] == [0] * 4


@pytest.mark.gpu
def test_frames_and_batches_go_to_the_gpu() -> None:
    made, batch = frame(), example_events()
    assert made.torch("cuda").is_cuda
    assert torch.equal(made.torch("cuda").cpu(), made.torch())
    for there, here in zip(batch.torch("cuda"), batch.torch(), strict=True):
        assert there.is_cuda
        assert torch.equal(there.cpu(), here)
