"""SQLite files of ROS 2: whole, cut, damaged, hostile."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import aevents
from aevents import DecodeError, EventBatch, TruncatedError
from aevents.testing import assert_same_events, example_events
from tests.containers import bags

BATCH = example_events(6_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = bags.write_ros2(tmp_path / "bag", bags.arrays(BATCH, 20))
    (file,) = folder.glob("*.db3")
    return file


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
            database.commit()


def test_a_file_is_read_without_its_folder(path: Path) -> None:
    assert_same_events([aevents.load(path, strict=True)], [BATCH])
    assert sorted(one.name for one in path.parent.iterdir()) == sorted([path.name, "metadata.yaml"])


def test_a_log_beside_the_file_is_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("DELETE FROM messages WHERE id > 10")
        database.commit()
        assert path.with_name(path.name + "-wal").stat().st_size > 0
        assert len(aevents.load(path)) == 200


def test_a_file_in_that_mode_without_a_log_is_read(path: Path) -> None:
    change(path, "PRAGMA journal_mode = wal")
    path.parent.chmod(0o555)
    try:
        assert len(aevents.load(path)) == len(BATCH)
    finally:
        path.parent.chmod(0o755)


def test_a_file_cut_short_gives_what_was_before(path: Path) -> None:
    data = path.read_bytes()
    counts = []
    for length in range(40_000, len(data), 20_011):
        path.write_bytes(data[:length])
        kept = aevents.load(path)
        assert_same_events([kept], [BATCH[: len(kept)]])
        counts.append(len(kept))
        with pytest.raises(TruncatedError, match="is damaged"):
            aevents.load(path, strict=True)
    assert counts == sorted(counts)
    assert counts[-1] > len(BATCH) * 0.8


def test_damage_gives_events_or_a_decode_error(path: Path) -> None:
    change(path, "DELETE FROM messages WHERE id > 40", "VACUUM")
    data, draw = path.read_bytes(), random.Random(0)
    for _ in range(150):
        bent = bytearray(data)
        for _ in range(draw.randrange(1, 40)):
            bent[draw.randrange(len(bent))] = draw.randrange(256)
        path.write_bytes(bent)
        for start in (None, 40_000):
            stream = aevents.open(path, format="ros2")
            try:
                for batch in (stream.time_slice(start) if start else stream).blocking():
                    assert isinstance(batch, EventBatch)
            except DecodeError:
                pass


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["DROP TABLE topics"], "no tables of topics and of messages"),
        (["DROP TABLE messages", "CREATE VIEW messages AS SELECT 1"], "no tables of topics and"),
    ],
)
def test_other_tables_are_refused(path: Path, statements: list[str], reason: str) -> None:
    change(path, *statements)
    with pytest.raises(DecodeError, match=reason):
        aevents.load(path, format="ros2")


def test_values_of_other_types_are_passed_over(path: Path) -> None:
    change(
        path,
        "INSERT INTO topics VALUES (7, 8, 9, 'cdr', '', '')",
        "INSERT INTO topics VALUES (9, '/j', 'dvs_msgs/msg/EventArray', 'json', '', '')",
        "UPDATE messages SET data = 'text' WHERE id = 1",
        "UPDATE messages SET timestamp = 'noon' WHERE id < 9",
        "UPDATE messages SET data = zeroblob(9) WHERE id = 2",
    )
    with aevents.open(path).blocking() as run:
        kept = list(run)
        assert_same_events(kept, [BATCH[40:]])
        assert run.report["bad_messages"] == 1
    sliced = list(aevents.open(path).time_slice(300_000, 310_000).blocking())
    assert_same_events(sliced, [BATCH.where((BATCH.t >= 300_000) & (BATCH.t < 310_000))])


def test_a_blob_that_is_too_large_takes_no_memory(path: Path) -> None:
    change(path, "UPDATE messages SET data = zeroblob(70000000) WHERE id = 5")
    assert_same_events([aevents.load(path)], [BATCH[:80]])
    with pytest.raises(TruncatedError, match="too big"):
        aevents.load(path, strict=True)


def test_the_last_number_of_all_is_the_last(path: Path) -> None:
    change(path, f"UPDATE messages SET id = {2**63 - 1} WHERE id = (SELECT max(id) FROM messages)")
    assert_same_events([aevents.load(path)], [BATCH])


def test_rows_may_be_few_and_far_between(path: Path) -> None:
    change(path, "DELETE FROM messages")
    assert len(aevents.load(path)) == 0
    assert list(aevents.open(path).time_slice(1_000).blocking()) is not None
