"""SQLite files of ROS 2 (.db3), which `rosbag2_storage_sqlite3` writes.

    topics      id, name, type, serialization_format ("cdr")
    messages    id, topic_id, timestamp (ns), data: CDR (see `ros_messages`)

They are read in the order in which messages were written, as far as they are whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from aevents.containers.seek import First, find
from aevents.containers.topics import MOST_RECORD, MOST_TOPICS, Item, Topics
from aevents.errors import TruncatedError

MAGIC = b"SQLite format 3\0"
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
"""Between these are the numbers of rows."""
SETTLE = 16
"""So many messages earlier, what goes on from one to the next makes sense."""

DAMAGED = (sqlite3.Error, MemoryError)
"""What SQLite raises where a file is damaged: the latter for sizes that make no sense."""


class Database:
    """A file that is open: its connection, and whether its end is missing."""

    __slots__ = ("cut", "path", "rows")

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        with path.open("rb") as file:
            head = file.read(32)
        size, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
        self.cut: bool = path.stat().st_size < size * pages
        log = path.with_name(path.name + "-wal")  # is taken into account, if there is one
        mode = "mode=ro" if log.exists() else "immutable=1"
        address = f"{path.absolute().as_uri()}?{mode}"
        self.rows: sqlite3.Connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        self.rows.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_RECORD)


def open(path: Path, topics: Topics) -> Database:
    """Return a file that is open, its topics noted."""
    database = Database(path)
    try:
        database.rows.execute("PRAGMA trusted_schema = off")
        database.rows.execute("PRAGMA writable_schema = on")  # else a cut file is refused
        _connect(database.rows, topics)
    except DAMAGED as error:
        database.rows.close()
        topics.watch.fail(f"{path.name} is damaged: {error}")
    return database


def read(database: Database, topics: Topics, start: int | None) -> Iterator[Item]:
    """Yield what the messages hold, from `start` µs on as far as that is quick. Close the file."""
    with closing(database.rows):
        row = LOWEST if start is None else _begin(database, topics, start)
        try:
            yield from _messages(database, topics, row)
        except DAMAGED as error:
            reason = f"{database.path.name} is damaged: {error}"
            topics.watch.note("unfinished", 1, reason, error=TruncatedError)


def _connect(database: sqlite3.Connection, topics: Topics) -> None:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1000")
    if not {"topics", "messages"} <= {name for (name,) in tables}:
        topics.watch.fail("it has no tables of topics and of messages")
    query = "SELECT id, name, type, serialization_format FROM topics LIMIT ?"
    for id, name, type, format in database.execute(query, (MOST_TOPICS,)):
        if format == "cdr" and isinstance(id, int) and isinstance(name, str):
            topics.add(id, name, str(type), cdr=True)


def _messages(database: Database, topics: Topics, row: int) -> Iterator[Item]:
    """Yield what the messages from this row on hold."""
    wanted = ",".join(map(str, topics.numbers()))
    data = f"CASE WHEN topic_id IN ({wanted}) THEN data END"
    # one row at a time: Python looks one ahead, and loses both where that one is damaged
    query = f"SELECT rowid, topic_id, {data} FROM messages WHERE rowid >= ? ORDER BY rowid LIMIT 1"
    while found := database.rows.execute(query, (row,)).fetchone():
        at, topic, message = found
        if at < row or (at > row > LOWEST and database.cut):
            raise sqlite3.DatabaseError(f"row {row} is not where it should be")
        if isinstance(message, bytes):
            yield from topics.read(topic, memoryview(message), None)
        if at == HIGHEST:
            return
        row = at + 1
    if database.cut:
        raise sqlite3.DatabaseError("its end is missing")


def _begin(database: Database, topics: Topics, start: int) -> int:
    """Return the row to begin with for what is at `start` µs or later; make the topics ready."""
    try:
        query = "SELECT min(rowid), max(rowid) FROM messages"
        lowest, highest = database.rows.execute(query).fetchone()
        count = 0 if lowest is None else highest - lowest + 1
        found = find(count, partial(_first, database, topics, lowest), start, settle=SETTLE)
    except DAMAGED:
        return LOWEST
    if found is None:
        return LOWEST
    topics.shift = found[1]
    return int(lowest) + found[0]


def _first(database: Database, topics: Topics, lowest: int, number: int) -> First | None:
    """Return the first item from this row on."""
    probe, row = topics.fresh(), lowest + number
    item = next(_messages(database, probe, row), None)
    query = "SELECT timestamp FROM messages WHERE rowid >= ? LIMIT 1"
    logged = database.rows.execute(query, (row,)).fetchone()
    if item is None or logged is None or not isinstance(logged[0], int):
        return None
    return First(item.span.start, logged[0] // 1000, probe.clock)
