"""UDP: datagrams of SPIF as batches of events, many datagrams to a batch.

What has come is taken from the socket in one call of the system (recvmmsg) where that is there,
elsewhere one datagram at a time. Either way the system's own buffer, which is bounded, holds what
has not been asked for, and the system counts what it had no room for.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct

import anyio
import anyio.lowlevel

from aevents._contracts import Origin
from aevents._native import kernels, mmsg
from aevents._udp import Address, address_of, refuse, value_of
from aevents.codecs.spif import SpifDecoder
from aevents.types import EventBatch, Sensor

BUFFER_BYTES = 4 << 20
"""What the system is asked to hold: with its usual 208 KB, a stall of 5 ms loses datagrams."""
TURN_BYTES = 192 << 10
"""So much, or little more, is taken in one turn of the loop: in 0.2 ms."""

SO_RCVBUFFORCE, SO_MEMINFO, UDP_GRO = 33, 55, 104
"""Constants of Linux that the socket module lacks."""
MEMINFO = Struct("9I")
"""What SO_MEMINFO tells; the last is the count that SO_RXQ_OVFL tells with the next datagram."""


def open_url(
    rest: str,
    /,
    *,
    sensor: Sensor | None = None,
    size: str | None = None,
    buffer: object = BUFFER_BYTES,
    interface: str = "",
    **unknown: object,
) -> Origin[EventBatch]:
    """Return the source that a URL names, as in `udp://:3333?size=640x480`.

    The host is a numeric address of this machine, or a multicast group to join (on the network
    `interface`), or empty: any. `buffer` bytes are asked for to hold what has come. Raises
    `ValueError` for an address or an option that is none. Opening raises `OSError` where the port
    is taken, or cannot be had.
    """
    refuse(unknown, ("size", "buffer", "interface"))
    address = address_of(rest)
    _check_host(address.host, interface)
    wanted = value_of("buffer", buffer, int)
    if wanted <= 0:
        raise ValueError(f"udp: buffer is a number of bytes, not {wanted}")
    known = sensor or (None if size is None else Sensor.parse(size))
    return Origin(
        f"udp:{rest}",
        waiting=lambda: UdpSource(address, known, buffer=wanted, interface=interface),
        live=True,
    )


class UdpSource:
    """A bound socket, and the events that come to it: at most what one turn of the loop may take at
    a time.

    `address` is where it listens, `receive_buffer` how many bytes the system granted. Times of
    arrival count from here on.
    """

    def __init__(
        self,
        address: Address,
        sensor: Sensor | None = None,
        *,
        buffer: int = BUFFER_BYTES,
        interface: str = "",
    ) -> None:
        self._socket = _bound(address, interface)
        self.address: Address = Address(*self._socket.getsockname()[:2])
        self.receive_buffer: int = _ask_for_room(self._socket, buffer)
        self._short = self.receive_buffer < buffer
        self._decoder = SpifDecoder(sensor)
        self._come = kernels.datagrams()
        self._many = mmsg.available
        if self._many:
            _coalesce(self._socket)
        self._waits = False
        self._closed = False
        self._dropped = 0
        self._opened = _now_us()
        self._arrival = 0

    @property
    def counts(self) -> dict[str, int]:
        """What was not as it should be, by name; at the time of asking."""
        counts = dict(self._decoder.counts)
        if drops := self._drops():
            counts["kernel_drops"] = drops
        if self._short:
            counts["receive_buffer_bytes"] = self.receive_buffer
        return counts

    async def __anext__(self) -> EventBatch:
        """Return the events of what has come, or await some. A cancelled call loses none."""
        while not self._closed:
            if self._come.next == self._come.count:
                self._receive()
            if self._come.count:
                batch = self._decoder.decode(self._come, self._arrival)
                if len(batch):
                    return batch
                await anyio.lowlevel.checkpoint()  # nothing but rubbish, and perhaps a flood of it
            else:
                await self._readable()
        raise StopAsyncIteration

    def close(self) -> None:
        """Free the port at once. A read that waits ends."""
        if self._closed:
            return
        self._drops()
        self._closed = True
        if self._waits:
            anyio.notify_closing(self._socket)
        self._socket.close()

    async def aclose(self) -> None:
        """Free the port."""
        self.close()

    async def _readable(self) -> None:
        self._waits = True
        try:
            await anyio.wait_readable(self._socket)
        except anyio.ClosedResourceError:
            pass  # closed meanwhile, as the caller sees
        finally:
            self._waits = False

    def _receive(self) -> None:
        come = self._come
        come.clear()
        if self._many:
            mmsg.receive(self._socket.fileno(), come, TURN_BYTES)
        else:
            self._receive_each()
        self._arrival = _now_us() - self._opened

    def _receive_each(self) -> None:
        come, room = self._come, TURN_BYTES
        with contextlib.suppress(BlockingIOError):
            while room > 0 and come.count < len(come.length):
                length = self._socket.recv_into(come.place())
                come.add(length)
                room -= length

    def _drops(self) -> int:
        """Return how many messages the system had no room for, where it tells."""
        if self._closed or sys.platform != "linux":
            return self._dropped
        with contextlib.suppress(OSError):  # before Linux 4.12 there is no such option
            told = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
            self._dropped = int(MEMINFO.unpack(told)[-1])
        return self._dropped


def _check_host(host: str, interface: str) -> None:
    try:
        group = bool(host) and ip_address(host).is_multicast
    except ValueError as error:
        raise ValueError(f"udp: a source listens at a numeric address, not {host!r}") from error
    if interface and not group:
        raise ValueError(f"udp: an interface is for joining a multicast group; {host!r} is none")


def _bound(address: Address, interface: str) -> socket.socket:
    """Return a socket that listens there; of both families where the host is empty."""
    both = not address.host and socket.has_dualstack_ipv6()
    host = ip_address(address.host or ("::" if both else "0.0.0.0"))
    family = socket.AF_INET6 if isinstance(host, IPv6Address) else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if both:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if host.is_multicast:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # others may listen too
            _join(bound, host, interface)
        bound.bind(_place(host, address.port, interface))
    except OSError as error:
        bound.close()
        what = f"udp://{address.host}:{address.port}: {error.strerror}"
        raise OSError(error.errno, what) from error
    return bound


def _join(joining: socket.socket, group: IPv4Address | IPv6Address, interface: str) -> None:
    index = _index(interface).to_bytes(4, sys.byteorder)
    if isinstance(group, IPv6Address):
        member = group.packed + index
        joining.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
    else:
        member = group.packed + bytes(4) + index
        joining.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)


def _place(host: IPv4Address | IPv6Address, port: int, interface: str) -> tuple[object, ...]:
    """Return what `bind` takes, with the scope that some addresses of IPv6 need."""
    if isinstance(host, IPv4Address):
        return str(host), port
    return str(IPv6Address(host.packed)), port, 0, _index(interface or host.scope_id or "")


def _index(interface: str) -> int:
    return socket.if_nametoindex(interface) if interface else 0


def _ask_for_room(asking: socket.socket, size: int) -> int:
    """Ask for a receive buffer of `size` bytes, by privilege where there is some; return what was
    granted.
    """
    options = [socket.SO_RCVBUF, SO_RCVBUFFORCE] if sys.platform == "linux" else [socket.SO_RCVBUF]
    granted = 0
    for option in options:
        if granted < size:
            with contextlib.suppress(OSError):
                asking.setsockopt(socket.SOL_SOCKET, option, size)
            granted = asking.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            granted //= 2 if sys.platform == "linux" else 1  # Linux doubles it, for its own needs
    return granted


def _coalesce(receiving: socket.socket) -> None:
    """Let the system hand over many datagrams as one message, where it can."""
    with contextlib.suppress(OSError):
        receiving.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)


def _now_us() -> int:
    return time.monotonic_ns() // 1_000
