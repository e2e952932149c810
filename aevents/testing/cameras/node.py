"""The file of an emulated device, for which a host can wait by poll and epoll as for a real one.

That of usbfs can be written to when there is something to reap. A named pipe is here in its place:
one that holds a page at most is full as soon as a byte is in it, and then nothing can be written.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Node:
    """A file at a path, where there is a plain one already; hosts are told by it when to reap."""

    def __init__(self, path: Path, /) -> None:
        mode = path.stat().st_mode & 0o777
        path.unlink()
        os.mkfifo(path)
        path.chmod(mode)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, 1)
        self._ready = True
        self.tell(ready=False)

    def tell(self, *, ready: bool) -> None:
        """Tell hosts whether there is something to reap."""
        if ready and not self._ready:
            os.read(self._pipe, 1)
        elif self._ready and not ready:
            os.write(self._pipe, b"-")
        self._ready = ready

    def close(self) -> None:
        """Close it; those who have it open keep theirs."""
        os.close(self._pipe)
