"""What can go wrong: one tree of exceptions, each with the facts that a program needs to react."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class AeventsError(Exception):
    """The base of every exception that aevents itself raises."""


class DecodeError(AeventsError, ValueError):
    """The bytes are not what the format says: a header that cannot be read, or, when strict,
    anything.

    `format` names the codec, `offset` is the byte where it happened (None if unknown), `reason`
    says what.
    """

    def __init__(self, format: str, reason: str, *, offset: int | None = None) -> None:
        where = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{format}: {reason}{where}")
        self.format = format
        self.reason = reason
        self.offset = offset


class TruncatedError(DecodeError):
    """The input ended inside a record (only when strict; otherwise counted as `torn_bytes`)."""


class TimeOrderError(DecodeError):
    """Time went backwards (only when strict; otherwise counted as `backward_jumps`)."""


class EncodeError(AeventsError, ValueError):
    """This item does not fit this format: x too large, time before zero, and the like."""

    def __init__(self, format: str, reason: str) -> None:
        super().__init__(f"{format}: {reason}")
        self.format = format
        self.reason = reason


class UnknownFormatError(AeventsError, LookupError):
    """Nothing here understands this input or name; `known` lists what would have been."""

    def __init__(self, what: str, known: Iterable[str]) -> None:
        self.known: tuple[str, ...] = tuple(sorted(known))
        super().__init__(f"{what}; known formats: {', '.join(self.known)}")


class SlowConsumerError(AeventsError):
    """A channel with `overflow="fail"` was full: it held `capacity` items and dropped `dropped`."""

    def __init__(self, capacity: int, dropped: int) -> None:
        super().__init__(f"the consumer is too slow: {capacity} items wait, {dropped} were dropped")
        self.capacity = capacity
        self.dropped = dropped


class WorkerError(AeventsError):
    """A process of `workers` could not begin, or ended before its work was done."""


class DownloadError(AeventsError, OSError):
    """No mirror has the file, whole and right; `failures` says of each what happened."""

    def __init__(self, name: str, failures: Sequence[str]) -> None:
        self.failures: tuple[str, ...] = tuple(failures)
        super().__init__(f"{name} could not be downloaded: {'; '.join(failures) or 'no mirror'}")


class DeliveryError(AeventsError, OSError):
    """A server did not take an item: it says no, or cannot be reached. `status` is what HTTP calls
    its answer, None if there was none.
    """

    def __init__(self, what: str, *, status: int | None = None) -> None:
        super().__init__(what)
        self.status = status


class DeviceError(AeventsError, OSError):
    """A camera cannot be used: it may be taken by another process, or need other rights."""


class DeviceNotFoundError(DeviceError):
    """No such camera is plugged in; `seen` lists those that are."""

    def __init__(self, what: str, seen: Iterable[str] = ()) -> None:
        self.seen: tuple[str, ...] = tuple(seen)
        super().__init__(f"{what}; plugged in: {', '.join(self.seen) or 'no camera'}")


class DeviceLostError(DeviceError):
    """A camera was unplugged, or stopped answering, while it was in use."""


class MissingExtraError(AeventsError, ImportError):
    """An optional package is not installed; `install` is the command to type."""

    def __init__(self, package: str, install: str) -> None:
        super().__init__(f"{package} is not installed: {install}")
        self.install = install


def missing_extra(package: str, extra: str) -> MissingExtraError:
    """Return the error to raise when `package`, which `aevents[extra]` installs, cannot be
    imported.
    """
    return MissingExtraError(package, f"pip install 'aevents[{extra}]'")
