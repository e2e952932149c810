"""Arrays as tensors that share their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from aevents.errors import missing_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from typing_extensions import CapsuleType

    Device: TypeAlias = torch.device | str | int


class EventTensors(NamedTuple):
    """The columns of a batch as tensors: `t` int64 (µs), `x` and `y` uint16, `p` bool.

    torch calculates little with uint16, and takes no index of it: `x.long()` is for that.
    """

    t: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    p: torch.Tensor


def tensor_of(array: npt.NDArray[Any], device: Device | None) -> torch.Tensor:
    """Return the array as a tensor on this device; None leaves it where it is, without a copy.

    Raises `MissingExtraError` without torch, and what torch raises for a device that is not there,
    or an array that it cannot hold.
    """
    try:
        import torch
    except ImportError as error:
        raise missing_extra("torch", "torch") from error
    if any(stride < 0 for stride in array.strides):  # torch has none such
        array = array.copy()
    tensor = torch.from_numpy(unlocked(array))
    return tensor if device is None else tensor.to(device)


def capsule_of(array: npt.NDArray[Any], asked: Mapping[str, Any]) -> CapsuleType:
    """Return the array as DLPack, by the arguments of `numpy.ndarray.__dlpack__`.

    It says there that it is read-only, but for a consumer of DLPack before 1.0, which has no word
    for that.
    """
    version = asked.get("max_version")
    if version is None or version[0] < 1:
        array = unlocked(array)
    return array.__dlpack__(**asked)


def unlocked(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a view of the same memory that is not marked as read-only, for libraries that have no
    such mark.
    """
    return array if array.flags.writeable else np.asarray(_Unlocked(array))


class _Unlocked:
    """The memory of an array, kept alive by it; NumPy takes its word that one may write there."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array
        memory = array.__array_interface__
        self.__array_interface__: dict[str, Any] = memory | {"data": (memory["data"][0], False)}
