"""Models over TCP by USB/IP, so that a kernel of Linux, as that of a virtual machine, has them as
if they were plugged in there (its module vhci_hcd).

As the kernel's documentation has it, `usb/usbip_protocol`; all numbers are big-endian:

    16 version, 16 code, 32 status                    an operation, before a device is imported
    5 x 32 command, sequence, device, direction, endpoint, and 28 bytes more      then: commands

A request to write has its data behind it, as has the answer to one to read.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import NamedTuple

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream

from aevents.testing.cameras.usb import IN, Setup, Silence, Stall, UsbModel

OPERATION = struct.Struct(">HHI")
DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")
VERSION, ANSWER = 0x0111, 0x7FFF
LIST, IMPORT = 0x8005, 0x8003
OK, BUSY, NO_DEVICE = 0, 2, 4
"""Of an operation: its codes, and its states."""
BUS_ID_BYTES = 32
COMMAND = struct.Struct(">5I28s")
SUBMIT_REST, UNLINK_REST = struct.Struct(">Iiiii8s"), struct.Struct(">I24x")
SUBMITTED, UNLINKED = struct.Struct(">5Iiiiii8x"), struct.Struct(">5Ii24x")
SUBMIT, UNLINK, SUBMIT_ANSWER, UNLINK_ANSWER = 1, 2, 3, 4
NO_PACKETS = -1
INWARD = 1
SUPER_SPEED = 5
MOST_BYTES = 1 << 24
"""Of a transfer: the kernel asks for less."""
SETUP = struct.Struct("<BBHHH")
IDLE_SECONDS = 0.0005
"""How long it is waited for a model that has nothing to send."""
USUAL_PORT = 3240
ENDED = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError)


class UsbIpServer:
    """A server of USB/IP with these models plugged in, while it is an `async with`.

    It listens on `host`, at `port`, which is 3240 by custom, or at any that is free if that is 0;
    then `port` is which. The models' bus identifiers are 1-1, 1-2 and so on.
    """

    def __init__(self, *models: UsbModel, host: str = "127.0.0.1", port: int = USUAL_PORT) -> None:
        self.port: int = port
        self._host = host
        self._plugged: dict[str, UsbModel] = {}
        self._imported: dict[str, anyio.CancelScope] = {}
        self._undoing = AsyncExitStack()
        for model in models:
            self.plug(model)

    async def __aenter__(self) -> UsbIpServer:
        async with AsyncExitStack() as undoing:
            listener = await anyio.create_tcp_listener(local_host=self._host, local_port=self.port)
            self.port = listener.extra(anyio.abc.SocketAttribute.local_port)
            await undoing.enter_async_context(listener)
            group = await undoing.enter_async_context(anyio.create_task_group())
            undoing.callback(group.cancel_scope.cancel)
            group.start_soon(listener.serve, self._serve)
            self._undoing = undoing.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._undoing.__aexit__(kind, error, trace)  # noqa: ASYNC102  # it cancels first

    def plug(self, model: UsbModel, /) -> str:
        """Plug a model in; return its bus identifier."""
        places = (f"1-{number}" for number in range(1, len(self._plugged) + 2))
        place = next(one for one in places if one not in self._plugged)
        self._plugged[place] = model
        return place

    def unplug(self, model: UsbModel, /) -> None:
        """Pull a model out: whoever has imported it is told by the end of the connection."""
        place = next(place for place, one in self._plugged.items() if one is model)
        del self._plugged[place]
        if place in self._imported:
            self._imported[place].cancel()

    async def _serve(self, stream: anyio.abc.SocketStream) -> None:
        received = BufferedByteReceiveStream(stream)
        async with stream:
            with suppress(*ENDED):
                _, code, _ = OPERATION.unpack(await received.receive_exactly(OPERATION.size))
                if code == LIST:
                    await stream.send(self._listed())
                elif code == IMPORT:
                    name = await received.receive_exactly(BUS_ID_BYTES)
                    await self._import(name.rstrip(b"\0").decode("latin-1"), received, stream)

    def _listed(self) -> bytes:
        answer = OPERATION.pack(VERSION, LIST & ANSWER, OK)
        answer += struct.pack(">I", len(self._plugged))
        for place, model in self._plugged.items():
            answer += _described(place, model) + struct.pack("4B", 0xFF, model.subclass, 0, 0)
        return answer

    async def _import(
        self, place: str, received: BufferedByteReceiveStream, stream: anyio.abc.SocketStream
    ) -> None:
        model = self._plugged.get(place)
        state = NO_DEVICE if model is None else BUSY if place in self._imported else OK
        answer = OPERATION.pack(VERSION, IMPORT & ANSWER, state)
        if model is None or state != OK:
            await stream.send(answer)
            return
        with anyio.CancelScope() as scope:
            self._imported[place] = scope
            try:
                await stream.send(answer + _described(place, model))
                async with anyio.create_task_group() as group:
                    importer = _Importer(model, received, stream.send)
                    for work in (importer.receive, importer.send):
                        group.start_soon(_until_the_end, work, group.cancel_scope)
            finally:
                del self._imported[place]


class _Waiting(NamedTuple):
    """A request that is not answered yet: of an endpoint, for at most so many bytes."""

    sequence: int
    endpoint: int
    length: int


class _Importer:
    """Who has imported a model: what it asks, and is answered."""

    def __init__(
        self,
        model: UsbModel,
        received: BufferedByteReceiveStream,
        send: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._model = model
        self._received = received
        self._send = send
        self._sending = anyio.Lock()
        self._waiting: list[_Waiting] = []
        self._more = anyio.Event()

    async def receive(self) -> None:
        """Take commands, until one makes no sense."""
        while True:
            head = await self._received.receive_exactly(COMMAND.size)
            command, sequence, _, direction, endpoint, rest = COMMAND.unpack(head)
            if command == UNLINK:
                await self._unlink(sequence, *UNLINK_REST.unpack(rest))
                continue
            _, length, *_, setup = SUBMIT_REST.unpack(rest)
            if command != SUBMIT or not 0 <= length <= MOST_BYTES:
                return
            if endpoint and direction == INWARD:
                self._wait(_Waiting(sequence, endpoint | IN, length))
                continue
            outward = length if direction != INWARD else 0
            data = await self._received.receive_exactly(outward) if outward else b""
            await self._do(_Waiting(sequence, endpoint, length), setup, data)

    async def send(self) -> None:
        """Answer requests for data, when there are some."""
        while True:
            if not self._waiting:
                self._more = anyio.Event()
                await self._more.wait()
            sent = False
            async with self._sending:
                found = self._due()
                if found is not None:
                    request, status, data = found
                    await self._answer(request.sequence, status, len(data), data)
                    sent = True
            await anyio.sleep(0 if sent else IDLE_SECONDS)

    def _wait(self, request: _Waiting) -> None:
        self._waiting.append(request)
        self._more.set()

    def _due(self) -> tuple[_Waiting, int, bytes] | None:
        """Return a request that is due, which then waits no more, and its answer."""
        silent = set()
        for request in self._waiting:
            if request.endpoint in silent:
                continue
            try:
                status, data = 0, self._model.send(request.endpoint, request.length)
            except Stall:
                status, data = -errno.EPIPE, b""
            if data is not None:
                self._waiting.remove(request)
                return request, status, data
            silent.add(request.endpoint)
        return None

    async def _do(self, request: _Waiting, setup: bytes, data: bytes) -> None:
        """Do what is done at once: what is of control, or towards the device."""
        status, answer, moved = 0, b"", request.length
        try:
            if request.endpoint:
                self._model.receive(request.endpoint, data)
            else:
                asked = Setup(*SETUP.unpack(setup))
                answer = self._model.control(asked, data)[: request.length]
                moved = len(answer) if asked.type & IN else request.length
        except Stall:
            status, moved = -errno.EPIPE, 0
        except Silence:
            self._wait(request)
            return
        async with self._sending:
            await self._answer(request.sequence, status, moved, answer)

    async def _unlink(self, sequence: int, of: int) -> None:
        """Give a request back undone, if it still waits."""
        waiting = [request for request in self._waiting if request.sequence != of]
        status = -errno.ECONNRESET if len(waiting) < len(self._waiting) else 0
        self._waiting = waiting
        async with self._sending:  # behind an answer that is on its way
            await self._send(UNLINKED.pack(UNLINK_ANSWER, sequence, 0, 0, 0, status))

    async def _answer(self, sequence: int, status: int, moved: int, data: bytes) -> None:
        head = SUBMITTED.pack(SUBMIT_ANSWER, sequence, 0, 0, 0, status, moved, 0, NO_PACKETS, 0)
        await self._send(head + data)


async def _until_the_end(work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    with suppress(*ENDED):
        await work()
    scope.cancel()


def _described(place: str, model: UsbModel) -> bytes:
    bus, _, address = place.partition("-")
    at = (f"/sys/devices/emulated/{place}".encode(), place.encode(), int(bus), int(address) + 1)
    about = (model.vendor, model.product, model.version)
    return DEVICE.pack(*at, SUPER_SPEED, *about, 0xFF, 0, 0, 1, 1, 1)
