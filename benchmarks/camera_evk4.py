"""An EVK4 that has more to say than anyone can take, and who takes it in C: for camera.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aevents.cameras.imx636 import Imx636, Settings
from aevents.cameras.libusb import UsbDevice, ffi
from aevents.cameras.prophesee_camera import INTERFACE
from aevents.cameras.treuzell import Treuzell
from aevents.cameras.usb_handle import UsbHandle
from aevents.codecs.evt3 import Evt3Encoder
from aevents.testing.cameras import EVK4
from aevents.types import EventBatch, Sensor
from benchmarks.measure import build_naive

BLOCKS, BLOCK_US, GROUPS = 8, 4_096, 1_000
"""So many groups of events are seen in a block of time: of one, or of 8 neighbours."""
PROTOTYPES = """
typedef struct {
    int64_t *t; uint16_t *x, *y; uint8_t *p; int64_t loop, high, low;
    uint16_t row, base_x; uint8_t base_p;
} naive;
typedef struct { void *allocate, *submit, *cancel, *work, *release; } calls;
int64_t naive_usb(const calls *functions, void *context, void *handle, int endpoint, int size,
                  int count, double seconds, naive *into, int64_t *found);
"""


class BusyEvk4(EVK4):
    """A camera that sees the same in every 33 ms, as fast as it is asked."""

    def _chunks(self) -> Iterator[tuple[int, bytes]]:
        words, _ = words_and_events()
        (highs,) = np.nonzero(words >> 12 == 0x8)
        now = 0
        while True:
            words[highs] = 0x8000 | (now + np.arange(BLOCKS)) & 0xFFF
            now += BLOCKS
            yield 0, words.tobytes()


def words_and_events() -> tuple[NDArray[np.uint16], int]:
    """Return what it sees, in words, and how many events that are."""
    random = np.random.default_rng(0)
    wide = np.arange(BLOCKS * GROUPS) % 4 == 0
    first = np.sort(random.integers(0, BLOCK_US, (BLOCKS, GROUPS)), axis=1)
    t = (first + BLOCK_US * np.arange(BLOCKS)[:, None]).ravel()
    x, y = random.integers(0, 1272, len(t)), random.integers(0, 720, len(t))
    p, size = random.integers(0, 2, len(t)), np.where(wide, 8, 1)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    batch = EventBatch.from_columns(
        t=t.repeat(size), x=x.repeat(size) + within, y=y.repeat(size), p=p.repeat(size),
        sensor=Sensor(1280, 720),
    )  # fmt: skip
    encoder = Evt3Encoder()
    header, *said = encoder.feed(batch)
    assert header
    return np.frombuffer(b"".join(said), np.uint16).copy(), len(batch)


def by_c_and_libusb(seconds: float) -> dict[str, object]:
    """Take events in C."""
    built = build_naive("naive_usb", PROTOTYPES)
    usb = UsbHandle(UsbDevice(*(EVK4.vendor, EVK4.product), 1, 2), INTERFACE)
    answers, questions, data = usb.interface.endpoints
    chip = Imx636(Treuzell(usb, answers, questions), 0)
    chip.begin()
    settings = Settings()
    chip.configure(settings, edges=False)
    chip.start()
    size = settings.transfer_bytes
    columns = [built.ffi.new(f"{type}[]", 6 * size) for type in ("int64_t", "uint16_t")]
    columns += [built.ffi.new("uint16_t[]", 6 * size), built.ffi.new("uint8_t[]", 6 * size)]
    into = built.ffi.new("naive *", dict(zip("txyp", columns, strict=True)))
    functions = built.ffi.new("calls *", _functions(built.ffi, usb.usb))
    found = built.ffi.new("int64_t *")
    context, handle = (_pointer(built.ffi, each) for each in (usb.context, usb.pointer))
    ask = (functions, context, handle, data, size, settings.transfers)
    built.lib.naive_usb(*ask, 0.2, into, found)
    began, used = time.perf_counter(), time.process_time()
    built.lib.naive_usb(*ask, seconds, into, found)
    took, used = time.perf_counter() - began, time.process_time() - used
    chip.end()
    usb.close()
    return {"events": found[0], "took": took, "used": used, "overruns": 0}


def _functions(to: Any, usb: Any) -> dict[str, object]:  # noqa: ANN401  # cffi's
    names = {
        "allocate": "libusb_alloc_transfer", "submit": "libusb_submit_transfer",
        "cancel": "libusb_cancel_transfer", "release": "libusb_free_transfer",
        "work": "libusb_handle_events_timeout_completed",
    }  # fmt: skip
    return {name: _pointer(to, ffi.addressof(usb, of)) for name, of in names.items()}


def _pointer(to: Any, pointer: object) -> object:  # noqa: ANN401
    return to.cast("void *", int(ffi.cast("uintptr_t", pointer)))
