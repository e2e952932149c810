"""What can be said of cameras through Metavision HAL, before one is there."""

from __future__ import annotations

import pytest

import aevents
from aevents import EventBatch
from aevents.cameras.metavision import settings_of


def test_options_are_looked_at_at_once() -> None:
    assert settings_of(object, {"decoded": "no", "roi": "1,2,3x4"}).roi == (1, 2, 3, 4)
    with pytest.raises(ValueError, match="there is no ImuBatch"):
        settings_of(aevents.ImuBatch, {})
    with pytest.raises(ValueError, match=r"metavision: .*hue"):
        settings_of(EventBatch, {"hue": 3})
    with pytest.raises(ValueError, match="a recording has no biases, roi"):
        settings_of(EventBatch, {"roi": "1,2,3x4", "biases": "a:1"}, recording=True)
