"""Options of cameras: values, or text as in a URL."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from aevents.cameras.settings import check_roi, parsed


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    biases: Mapping[str, int | tuple[int, int]] = {}
    roi: tuple[int, int, int, int] | None = None
    imu: bool | None = None
    queue: int = 1


def test_text_means_what_values_mean() -> None:
    text = {"biases": "on:5/200,off:-3", "roi": "10,20,100x80", "imu": "no", "queue": "7"}
    values = {
        "biases": {"on": (5, 200), "off": -3},
        "roi": (10, 20, 100, 80),
        "imu": False,
        "queue": 7,
    }
    assert parsed(text, Settings) == parsed(values, Settings) == Settings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options", [{"hue": 3}, {"queue": "many"}, {"roi": "1,2,3"}, {"biases": "on:a"}]
)
def test_what_is_no_setting_is_told(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="known: biases, roi, imu, queue"):
        parsed(options, Settings)


def test_a_region_is_within_the_sensor() -> None:
    check_roi((0, 0, 640, 480), 640, 480)
    check_roi((639, 479, 1, 1), 640, 480)
    for roi in ((-1, 0, 5, 5), (0, -1, 5, 5), (0, 0, 0, 5), (0, 0, 641, 5), (1, 476, 5, 5)):
        with pytest.raises(ValueError, match="not within 640x480"):
            check_roi(roi, 640, 480)
