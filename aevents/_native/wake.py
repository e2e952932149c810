"""A pipe that threads of other libraries write to, so that somebody who waits for it wakes.

They call functions in C where the extension is there, and need not wait for Python; else callbacks
of cffi.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from cffi import FFI

from . import name

CALLBACK = "void (void *)"


class Wake:
    """Two functions `void (*)(void *)` for others to call with `argument`: `come` when there is
    something new, `end` when there will be nothing more. Each makes `file` readable.

    These three are addresses, which must not be used after `close`.
    """

    def __init__(self, *, native: bool = name != "numpy") -> None:
        read, self._to = os.pipe()
        for end in (read, self._to):
            os.set_blocking(end, False)
        self.file: int = read
        self.argument: int
        self.come: int
        self.end: int
        self._ended: Callable[[], bool]
        addresses = self._compiled() if native else self._called_back()
        self.argument, self.come, self.end = addresses

    @property
    def ended(self) -> bool:
        """Whether `end` has been called."""
        return self._ended()

    def clear(self) -> None:
        """Forget the calls so far: `file` is readable again after the next."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.file, 4096):
                pass

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.file)
        os.close(self._to)

    def _compiled(self) -> tuple[int, int, int]:
        from ._kernels import ffi, lib

        state = ffi.new("ae_wake *", {"file": self._to})
        self._ended = lambda: bool(state.gone)
        functions = ffi.addressof(lib, "ae_wake_come"), ffi.addressof(lib, "ae_wake_gone")
        return _addresses(ffi, state, *functions)

    def _called_back(self) -> tuple[int, int, int]:
        ffi = FFI()
        calls: list[None] = []

        def come(_: object) -> None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._to, b"1")

        def gone(_: object) -> None:
            calls.append(None)
            come(None)

        held = ffi.callback(CALLBACK, come), ffi.callback(CALLBACK, gone)
        self._held = held  # the callbacks live as long as this
        self._ended = lambda: bool(calls)
        return _addresses(ffi, ffi.NULL, *held)


def _addresses(ffi: Any, *pointers: object) -> tuple[int, int, int]:  # noqa: ANN401  # an FFI
    argument, come, gone = (int(ffi.cast("uintptr_t", pointer)) for pointer in pointers)
    return argument, come, gone
