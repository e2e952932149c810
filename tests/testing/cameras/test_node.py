"""The file of a device can be waited for, and says when there is something to reap."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from aevents.testing.cameras.node import Node


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "002"
    path.touch(0o640)
    return path


@pytest.fixture
def node(path: Path) -> Iterator[Node]:
    node = Node(path)
    yield node
    node.close()


def test_hosts_can_write_when_there_is_something(node: Node, path: Path) -> None:
    host = os.open(path, os.O_RDWR)
    with select.epoll() as waiting:
        waiting.register(host, select.EPOLLOUT)
        for ready in (False, True, True, False, False, True):
            node.tell(ready=ready)
            assert waiting.poll(0) == [(host, select.EPOLLOUT)] * ready
            assert bool(select.select([], [host], [], 0)[1]) == ready
    os.close(host)


def test_its_rights_are_those_of_the_file_that_was_there(node: Node, path: Path) -> None:
    assert (path.is_fifo(), path.stat().st_mode & 0o777) == (True, 0o640)
