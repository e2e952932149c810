"""What of a camera can be turned by hand: its biases with their ranges, and its region.

The ranges of the IMX636 are those that Prophesee gives for it, relative to the camera's own values;
the DVXplorer has five degrees of how easily its pixels send events.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Range(msgspec.Struct, frozen=True):
    """From where to where a bias goes, and its value where nothing is said."""

    min: int
    max: int
    usual: int = 0


IMX636: Mapping[str, Range] = {
    "bias_diff_on": Range(-85, 140),
    "bias_diff_off": Range(-35, 190),
    "bias_fo": Range(-35, 55),
    "bias_hpf": Range(0, 120),
    "bias_refr": Range(-20, 235),
}
KNOBS: Mapping[str, Mapping[str, Range]] = {
    "EVK4": IMX636,
    "EVK3": IMX636,
    "DVXplorer": {"simple": Range(0, 4, 2)},
}
"""Biases by the name of the sensor; of cameras whose biases no person turns, none."""
WITH_REGION = frozenset({"EVK4", "EVK3", "DVXplorer", "DAVIS"})
"""Sensors that can send the events of a region only."""
