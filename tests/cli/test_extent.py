"""How far a stream reaches, and whether a format has room for it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from aevents.cli.extent import Extent, Fitting, refuse_misfit, settled
from aevents.codecs.base import Codec
from aevents.codecs.limits import Limits, edges_of
from aevents.errors import EncodeError
from aevents.registry import codec
from aevents.types import EventBatch, ExposureBatch, Frame, ImuBatch, Sensor, TriggerBatch
from tests.cli.items import SENSOR, events, exposures, frame, generic, imu, triggers

EVENTS, BOTH = (EventBatch,), (EventBatch, TriggerBatch)


def extent_of(items: Iterable[object]) -> Extent:
    extent = Extent()
    for item in items:
        assert extent.feed(item) == ()
    (found,) = extent.flush()
    return found


def test_an_extent_is_of_everything() -> None:
    found = extent_of(
        [events(), events(50, 47, 90, x=7, y=9), triggers(10, 11, id=5), imu(8), frame(3)]
    )
    assert found.census.kinds == (EventBatch, TriggerBatch, ImuBatch, Frame)
    assert (found.width, found.height, found.sensor) == (8, 10, SENSOR)
    assert found.edges == {(5, True)}
    assert (found.start, found.back, found.leap) == (3, 3, 43)


def test_steps_are_between_items_of_a_kind() -> None:
    found = extent_of([events(50), triggers(10), events(45), triggers(12)])
    assert (found.back, found.leap) == (5, 2)
    assert extent_of([]).start is None


SETTLED = [
    ("evt3", "evt2", BOTH, Sensor(), True),
    ("evt2", "evt3", EVENTS, Sensor(), True),
    ("evt2", "evt3", BOTH, Sensor(), False),  # perhaps a trigger of one of its other inputs
    ("evt3", "csv", EVENTS, Sensor(), True),
    ("evt3", "csv", BOTH, Sensor(), False),  # perhaps there are triggers
    ("evt3", "dat", BOTH, Sensor(), False),  # one or the other
    ("dat", "evt3", EVENTS, Sensor(), False),  # perhaps too large
    ("dat", "evt3", EVENTS, Sensor(640, 480), True),
    ("csv", "evt3", EVENTS, Sensor(640, 480), False),  # perhaps times below 0
    ("evt3", "es", EVENTS, Sensor(640, 480), False),  # perhaps out of order
    ("es", "es", EVENTS, Sensor(640, 480), True),
    ("evt3", "aedat4", BOTH, Sensor(), False),  # perhaps triggers that it has no name for
    ("evt3", "aedat4", EVENTS, Sensor(), True),
    ("evt2", "evt3", EVENTS, Sensor(4000, 10), False),
    ("aedat3", "csv", EVENTS, Sensor(), True),
    ("aedat3", "evt3", EVENTS, Sensor(346, 260), False),
]


@pytest.mark.parametrize(("source", "target", "kinds", "sensor", "sure"), SETTLED)
def test_formats_and_the_sensor_settle_what_they_can(
    source: str, target: str, kinds: tuple[type, ...], sensor: Sensor, sure: bool
) -> None:
    assert settled(codec(source), sensor, kinds, codec(target).limits) is sure


TOY = Codec(
    "toy",
    suffixes=(".toy",),
    limits=Limits(
        kinds=((EventBatch, TriggerBatch), (ExposureBatch,)),
        width=8,
        height=8,
        edges=edges_of(2),
        start_us=0,
        back_us=5,
        leap_us=100,
    ),
)
SIZED = replace(TOY, limits=Limits(kinds=((EventBatch,),), sized=True))

HELD = "it holds events and triggers, or exposures, and there are"
MISFITS = [
    ([events(1), imu(1)], f"toy: {HELD} 1 events, 1 imu: --only events$"),
    ([triggers(1), exposures(1, 2)], f"{HELD} 1 triggers, 2 exposures: --only triggers or --only "),
    ([generic(1)], f"{HELD} 1 bytes$"),
    ([events(1, x=8)], "columns go up to 8 and rows to 1, and it holds columns below 8 and rows "),
    ([events(1, y=9)], "columns go up to 1 and rows to 9"),
    ([events(1), triggers(1, id=2)], "it has no triggers of input 2 and value 1: --only events"),
    ([events(-3)], "times begin at -3 µs, before 0: --zero-time counts from there"),
    ([events(101)], "times begin as late as 101 µs: --zero-time counts from there"),
    ([events(1, 102)], "time leaps ahead by 101 µs, and it holds leaps of 100 µs"),
    ([events(10, 4)], "time goes back by 6 µs, and it holds steps back of 5 µs"),
]


@pytest.mark.parametrize(("items", "said"), MISFITS)
def test_what_does_not_fit_is_named_with_what_to_do(items: list[object], said: str) -> None:
    with pytest.raises(EncodeError, match=said):
        refuse_misfit(TOY, extent_of(items), zero=False)


def test_another_format_of_the_same_suffix_is_named_if_it_takes_it() -> None:
    with pytest.raises(
        EncodeError, match=r"csv: it holds events, and .* 2 triggers: --format trig"
    ):
        refuse_misfit(codec("csv"), extent_of([triggers(1, 2)]), zero=False)


def test_what_comes_is_handed_on_while_there_is_room_for_its_kind() -> None:
    fitting = Fitting(TOY)
    some, others = events(1), triggers(2)
    assert fitting.feed(some) == (some,)
    assert fitting.feed(others) == (others,)
    assert fitting.feed(exposures()) == ()
    with pytest.raises(
        EncodeError, match=r"toy: .* there are 1 events, 1 triggers, 2 exposures: -"
    ):
        fitting.feed(exposures(1, 2))
    assert fitting.flush() == ()


def test_what_fits_is_not_refused() -> None:
    refuse_misfit(TOY, extent_of([events(10, 5, 105, x=7, y=7), triggers(3, id=1)]), zero=False)
    refuse_misfit(TOY, extent_of([]), zero=False)
    refuse_misfit(TOY, extent_of([events(-1_000)]), zero=True)
    refuse_misfit(codec("csv"), extent_of([events(-1_000, 1 << 60, 0, x=65_535)]), zero=False)


def test_the_sensor_must_be_known_and_hold_the_events_where_that_is_needed() -> None:
    with pytest.raises(EncodeError, match="the size of the sensor is not known: --size WIDTHxHEIG"):
        refuse_misfit(SIZED, extent_of([events(1, sensor=Sensor())]), zero=False)
    with pytest.raises(EncodeError, match="off the sensor: --crop 0,0,64,48 leaves them out"):
        refuse_misfit(SIZED, extent_of([events(1, x=64)]), zero=False)
    refuse_misfit(SIZED, extent_of([events(1, x=63)]), zero=False)
    refuse_misfit(SIZED, extent_of([EventBatch.empty()]), zero=False)
