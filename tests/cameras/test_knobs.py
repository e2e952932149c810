"""What can be turned is there, by the names that drivers know."""

from __future__ import annotations

from aevents.cameras.imx636 import BIASES
from aevents.cameras.inivation_settings import DVX_BIASES
from aevents.cameras.knobs import IMX636, KNOBS, WITH_REGION
from aevents.sources.usb import DRIVERS


def test_drivers_know_the_cameras_and_their_biases() -> None:
    models = {model for driver in DRIVERS for model in driver.models.values()}
    assert set(KNOBS) | WITH_REGION <= models
    assert set(IMX636) <= set(BIASES)
    assert set(KNOBS["DVXplorer"]) <= set(DVX_BIASES)


def test_usual_values_are_in_their_ranges() -> None:
    for ranges in KNOBS.values():
        assert all(one.min <= one.usual <= one.max for one in ranges.values())
