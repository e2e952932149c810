"""The laws of formats over every codec that reads bytes: round trip, cuts, truncation.

Mutations are in test_fuzz.py.
"""

from __future__ import annotations

import pytest

from aevents import EventBatch
from aevents.codecs.base import Codec
from aevents.registry import codecs
from aevents.testing import check_codec, example_events
from aevents.types import Sensor
from tests.recordings import MADE

SMALL = example_events(90)
OF_SMALL_SENSORS = {"nmnist": example_events(90, sensor=Sensor(34, 34))}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "codec",
    [one for one in codecs() if one.streams and EventBatch in one.kinds],
    ids=lambda codec: codec.name,
)
def test_a_codec_obeys_the_laws(codec: Codec) -> None:
    batch = OF_SMALL_SENSORS.get(codec.name, SMALL)
    check_codec(codec, batch=batch, recording=MADE.get(codec.name), mutations=0)
