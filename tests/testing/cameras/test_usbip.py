"""USB/IP as a kernel speaks it: devices are listed, imported, asked, and read, exactly."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
import numpy as np
import pytest

from aevents import EventBatch, Sensor, TriggerBatch
from aevents.cameras.imx636 import Imx636, Settings
from aevents.cameras.treuzell import Treuzell
from aevents.codecs.evt3 import Evt3Decoder
from aevents.codecs.header import write_header
from aevents.codecs.raw import raw_lines
from aevents.testing import assert_same_events, example_events
from aevents.testing.cameras import DAVIS346, EVK4, DVXplorer, Fault
from aevents.testing.cameras.usbip import UsbIpServer

HD = Sensor(1280, 720)
ON = ((9, 0), (0, 1), (0, 0), (1, 3))
"""Modules and parameters that must be on for events of iniVation's cameras to come."""
DEVICE_BYTES = 312
T = TypeVar("T")


class Kernel:
    """What the kernel does with a device, as `usb/usbip_protocol` in its documentation has it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._sequence = 0
        self._answers: dict[int, tuple[int, int, bytes]] = {}
        self._lengths: dict[int, int] = {}

    def close(self) -> None:
        self._socket.close()

    def list(self) -> list[tuple[str, int, int]]:
        """Return of each device the bus identifier, the vendor and the product."""
        self._socket.sendall(struct.pack(">HHI", 0x0111, 0x8005, 0))
        assert struct.unpack(">HHI", self._take(8)) == (0x0111, 0x0005, 0)
        (count,) = struct.unpack(">I", self._take(4))
        found = []
        for _ in range(count):
            about = self._take(DEVICE_BYTES)
            interfaces = self._take(4 * about[-1])
            assert interfaces[0] == 0xFF
            name = about[256:288].rstrip(b"\0").decode()
            found.append((name, *struct.unpack_from(">HH", about, 300)))
        assert self._socket.recv(1) == b""
        return found

    def attach(self, name: str) -> int:
        """Import a device; return the state."""
        asked = struct.pack(">HHI32s", 0x0111, 0x8003, 0, name.encode())
        self._socket.sendall(asked)
        version, code, state = struct.unpack(">HHI", self._take(8))
        assert (version, code) == (0x0111, 0x0003)
        if state == 0:
            about = self._take(DEVICE_BYTES)
            assert about[256:288].rstrip(b"\0").decode() == name
            assert struct.unpack_from(">I", about, 296) == (5,)  # super speed
        return int(state)

    def submit(self, endpoint: int, length: int, data: bytes = b"", setup: bytes = bytes(8)) -> int:
        """Ask for a transfer; return its number."""
        self._sequence += 1
        inward = endpoint >> 7
        head = struct.pack(
            ">5IIiiii8s", 1, self._sequence, 1 << 16 | 2, inward, endpoint & 0x7F,
            0, length, 0, -1, 0, setup,
        )  # fmt: skip
        self._lengths[self._sequence] = inward
        self._socket.sendall(head + data)
        return self._sequence

    def unlink(self, sequence: int) -> int:
        """Take a request back; return how that went."""
        self._sequence += 1
        self._socket.sendall(struct.pack(">5II24x", 2, self._sequence, 0, 0, 0, sequence))
        return self.answer(self._sequence)[0]

    def answer(self, sequence: int) -> tuple[int, int, bytes]:
        """Return of a request the status, how many bytes were moved, and those that came."""
        while sequence not in self._answers:
            command, number, *_, status, moved, _, _, _ = struct.unpack(
                ">5Iiiiii8x", self._take(48)
            )
            assert command == (3 if number in self._lengths else 4)
            data = b""
            if command == 3 and self._lengths[number]:
                data = self._take(moved)
            self._answers[number] = status, moved, data
        return self._answers.pop(sequence)

    def control(self, type: int, request: int, value: int, at: int, data: bytes | int) -> bytes:
        """Make a control request, with data or for so many bytes. Raises `OSError`."""
        length = data if isinstance(data, int) else len(data)
        setup = struct.pack("<BBHHH", type, request, value, at, length)
        out = b"" if isinstance(data, int) else data
        status, _, answer = self.answer(self.submit(type & 0x80, length, out, setup))
        if status:
            raise OSError(-status, "refused")
        return answer

    def write(self, endpoint: int, data: bytes, /) -> None:
        assert self.answer(self.submit(endpoint, len(data), data))[:2] == (0, len(data))

    def read(self, endpoint: int, most: int, /) -> bytes:
        status, moved, data = self.answer(self.submit(endpoint | 0x80, most))
        assert (status, moved) == (0, len(data))
        return data

    def ended(self) -> bool:
        """Return whether the connection has ended, when it has."""
        return self._socket.recv(1) == b""

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("it has been closed")
            data += piece
        return data


async def asked(server: UsbIpServer, work: Callable[[Kernel], T], name: str = "1-1") -> T:
    """Let a kernel import a device and do something with it, in a thread."""

    def do() -> T:
        with closing(Kernel(server.port)) as kernel:
            if name:
                assert kernel.attach(name) == 0
            return work(kernel)

    return await anyio.to_thread.run_sync(do)


async def test_devices_are_listed() -> None:
    async with UsbIpServer(DVXplorer(), EVK4(), port=0) as server:
        found = await asked(server, Kernel.list, "")
        assert found == [("1-1", 0x152A, 0x8419), ("1-2", 0x04B4, 0x00F5)]


async def test_the_events_of_an_evk4_come_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aevents.cameras.imx636.RESET", ())
    batch = example_events(20_000, sensor=HD)

    def read(kernel: Kernel) -> list[EventBatch | TriggerBatch]:
        board = Treuzell(kernel, 0x82, 0x02)
        assert board.serial == "00050042"
        chip = Imx636(board, 0)
        chip.begin()
        chip.configure(Settings(), edges=False)
        chip.start()
        decoder = Evt3Decoder(sensor=HD)
        decoder.hurry()
        items: list[EventBatch | TriggerBatch] = []
        list(decoder.feed(write_header(raw_lines("EVT3", "3.0", HD))))
        flying = [kernel.submit(0x81, 4096) for _ in range(8)]
        while sum(len(item) for item in items) < len(batch):
            status, _, data = kernel.answer(flying.pop(0))
            assert status == 0
            items += decoder.feed(data)
            flying.append(kernel.submit(0x81, 4096))
        return items

    async with UsbIpServer(EVK4([batch], realtime=False), port=0) as server:
        items = await asked(server, read)
    assert_same_events([one for one in items if isinstance(one, EventBatch)], [batch])


def said(words: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Return the events that a DVXplorer says, by its words."""
    wraps = now = column = group = 0
    events: list[tuple[int, int, int, int]] = []
    for word in words:
        kind, value = word >> 12, word & 0xFFF
        if word >> 15:
            now = wraps << 15 | word & 0x7FFF
        elif kind == 7:
            wraps += value
            now = wraps << 15
        elif kind == 1:
            column = value & 0x3FF
        elif kind == 4:
            group = value & 0xFF
        elif kind == 3:
            on = not value & 0x100
            events += [(now, column, 8 * group + bit, on) for bit in range(8) if value >> bit & 1]
    return events


async def test_the_events_of_a_dvxplorer_come_exactly() -> None:
    batch = example_events(5_000, sensor=Sensor(640, 480))
    model = DVXplorer([batch], realtime=False)
    model.settle_s = 0

    def read(kernel: Kernel) -> list[tuple[int, int, int, int]]:
        assert kernel.control(0xC0, 0xBF, 1, 0, 4) == struct.pack(">I", 640)
        assert kernel.control(0x80, 6, 0x0100, 0, 18) == model.device_descriptor
        for module, parameter in ON:
            kernel.control(0x40, 0xBF, module, parameter, struct.pack(">I", 1))
        words: list[int] = []
        while len(events := said(words)) < len(batch):
            words += np.frombuffer(kernel.read(0x82, 1 << 14), "<u2").tolist()
        return events

    async with UsbIpServer(model, port=0) as server:
        events = await asked(server, read)
    assert events == list(zip(*(getattr(batch, name).tolist() for name in "txyp"), strict=True))


async def test_what_waits_can_be_taken_back() -> None:
    def ask(kernel: Kernel) -> None:
        first, second = (kernel.submit(0x81, 64) for _ in range(2))
        assert kernel.unlink(first) == -errno.ECONNRESET
        assert kernel.unlink(first) == 0  # there is none any more
        assert kernel.unlink(second) == -errno.ECONNRESET
        question = struct.pack("<II", 0x72, 0)
        kernel.write(0x02, question)
        asked = kernel.submit(0x82, 64)
        assert len(kernel.answer(asked)[2]) == 16
        assert kernel.unlink(asked) == 0  # it has been answered

    async with UsbIpServer(EVK4(), port=0) as server:
        await asked(server, ask)


async def test_faults_are_told_as_a_device_tells_them() -> None:
    def refused(kernel: Kernel) -> None:
        with pytest.raises(OSError, match=r"\[Errno 32\]"):
            kernel.control(0xC0, 0xBF, 1, 0, 4)

    def ignored(kernel: Kernel) -> None:
        setup = struct.pack("<BBHHH", 0xC0, 0xBF, 1, 0, 4)
        assert kernel.unlink(kernel.submit(0x80, 4, setup=setup)) == -errno.ECONNRESET

    def stalled(kernel: Kernel) -> None:
        assert kernel.answer(kernel.submit(0x82, 64)) == (-errno.EPIPE, 0, b"")

    for fault, work in (
        (Fault("refuses", 1), refused), (Fault("ignores", 1), ignored), (Fault("halts", 0), stalled)
    ):  # fmt: skip
        async with UsbIpServer(DAVIS346(fault=fault), port=0) as server:
            await asked(server, work)


async def test_one_has_it_until_the_connection_ends() -> None:
    async with UsbIpServer(DVXplorer(), port=0) as server:

        def import_twice(kernel: Kernel) -> None:
            with closing(Kernel(server.port)) as other:
                assert other.attach("1-1") == 2

        await asked(server, import_twice)
        with pytest.raises(AssertionError, match="4"):
            await asked(server, lambda _: None, "1-9")

        def attach_again() -> None:
            state = 2
            while state == 2:  # until the server has seen the end
                with closing(Kernel(server.port)) as kernel:
                    state = kernel.attach("1-1")
            assert state == 0

        await anyio.to_thread.run_sync(attach_again)


async def test_unplugged_the_connection_ends_and_plugged_in_it_is_there_again() -> None:
    model = DVXplorer()
    async with UsbIpServer(model, EVK4(), port=0) as server:

        def wait(kernel: Kernel) -> bool:
            kernel.submit(0x82, 64)
            anyio.from_thread.run_sync(server.unplug, model)
            return kernel.ended()

        assert await asked(server, wait)
        assert await asked(server, Kernel.list, "") == [("1-2", 0x04B4, 0x00F5)]
        assert server.plug(model) == "1-1"
        await asked(server, lambda kernel: kernel.control(0xC0, 0xBF, 1, 0, 4))
        server.unplug(model)


@pytest.mark.parametrize(
    "command",
    [
        struct.pack(">5I28x", 9, 1, 0, 0, 0),
        struct.pack(">5IIi20x", 1, 1, 0, 0, 0, 0, -1),
        struct.pack(">5IIi20x", 1, 1, 0, 0, 0, 0, 1 << 30),
    ],
)
async def test_commands_without_sense_end_the_connection(command: bytes) -> None:
    def send(kernel: Kernel) -> bool:
        kernel.raw(command)
        return kernel.ended()

    async with UsbIpServer(DVXplorer(), port=0) as server:
        assert await asked(server, send)
        assert len(await asked(server, Kernel.list, "")) == 1


async def test_an_operation_that_is_none_ends_the_connection() -> None:
    def send(kernel: Kernel) -> bool:
        kernel.raw(struct.pack(">HHI", 0x0111, 0x8001, 0))
        return kernel.ended()

    async with UsbIpServer(DVXplorer(), port=0) as server:
        assert await asked(server, send, "")


async def test_it_ends_with_whoever_has_something_imported() -> None:
    async with UsbIpServer(DVXplorer(), port=0) as server:
        kernel = await anyio.to_thread.run_sync(Kernel, server.port)
        await anyio.to_thread.run_sync(kernel.attach, "1-1")
    assert await anyio.to_thread.run_sync(kernel.ended)
    kernel.close()
