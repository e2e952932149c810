"""The laws of formats over every codec that reads bytes: round trip, cuts, truncation.

Mutations are in test_fuzz.py.
"""

from __future__ import annotations

from typing import cast

import pytest

from aevents import EventBatch
from aevents.codecs.base import Codec, Encoder, Patch
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


@pytest.mark.parametrize(
    "codec",
    [one for one in codecs() if one.encoder and EventBatch in one.kinds],
    ids=lambda codec: codec.name,
)
def test_a_codec_says_whether_it_goes_back_to_its_beginning(codec: Codec) -> None:
    assert codec.encoder is not None
    encoder = cast("Encoder[EventBatch]", codec.encoder())  # it takes events
    batch = OF_SMALL_SENSORS.get(codec.name, SMALL)
    pieces = [*encoder.feed(batch), *encoder.flush()]
    assert any(isinstance(piece, Patch) for piece in pieces) == codec.goes_back
