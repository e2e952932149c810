"""What is said of what was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from aevents.cli.figures import damage_rows, figures, show, speed
from aevents.cli.kinds import Census
from aevents.cli.reading import Input, Reading
from aevents.codecs.evt2 import Evt2Encoder
from aevents.testing import encode, example_events
from aevents.types import Damage, EventBatch


def test_a_table_shows_whole_numbers_in_thousands(capsys: pytest.CaptureFixture[str]) -> None:
    show([("events", 1_234_567), ("wrote", "[bold]a.raw")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["events", "1,234,567"], ["wrote", "[bold]a.raw"]]


def test_a_table_goes_to_standard_error_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    show([("events", 3)], stderr=True)
    out, err = capsys.readouterr()
    assert (out, err.split()) == ("", ["events", "3"])


@pytest.fixture
def torn(tmp_path: Path) -> Reading[EventBatch]:
    (tmp_path / "torn.raw").write_bytes(encode(Evt2Encoder(), [example_events(600)])[:-1])
    return Reading(str(tmp_path / "torn.raw"), Input(), EventBatch)


async def test_figures_name_what_came_what_was_odd_and_what_was_written(
    torn: Reading[EventBatch],
) -> None:
    async with torn.start(torn.stream) as batches:
        assert sum([len(batch) async for batch in batches]) == 599
    assert figures(torn, torn.census, ["a.raw", "-"])[0] == ("events", 599)
    written = Census()
    written.feed(example_events(7))
    rows = figures(torn, written, ["a.raw", "-", "b.dat"])
    assert rows[0] == ("events", 7)
    assert rows[1][0] == "speed"
    assert rows[2:] == [("torn_bytes", 3), ("wrote", "a.raw"), ("wrote", "b.dat")]


def test_nothing_has_come_before_the_start(torn: Reading[EventBatch]) -> None:
    assert figures(torn, torn.census, [])[0] == ("events", 0)


@pytest.mark.parametrize(
    ("events", "seconds", "said"),
    [
        (0, 1, "0.0"),
        (1_234, 1, "0.001"),
        (99_000, 0.5, "0.2"),
        (3 * 10**9, 2, "1,500.0"),
        (5, 0, "0.0"),
    ],
)
def test_speeds_are_told_of_few_events_too(events: int, seconds: float, said: str) -> None:
    assert speed(events, seconds) == f"{said} Mev/s"


def test_places_of_damage_are_shown_up_to_so_many() -> None:
    places = [Damage("torn_bytes", 12_345, 3), Damage("lost", 7, 1_001, 250), Damage("odd", 9)]
    assert damage_rows(places, 3) == [
        ("damage", "torn_bytes at byte 12,345: 3 bytes"),
        ("damage", "lost at byte 7: 1,001 bytes, 250 events"),
        ("damage", "odd at byte 9"),
    ]
    assert damage_rows(places, 1)[1:] == [("damage", "… and 2 more places")]
    assert damage_rows([], 1) == []
