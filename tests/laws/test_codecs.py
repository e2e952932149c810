"""The laws of formats over every codec: round trip, cuts, truncation, 2,000 mutations.

`AEVENTS_MUTATIONS=100000` asks for more; with `tests/native/test_sanitizers.py` the codecs that C
reads have them under sanitizers. `tests/data/corpus` keeps inputs that once found something.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aevents.codecs.base import Codec
from aevents.errors import DecodeError
from aevents.registry import codecs
from aevents.testing import check_codec, decode, example_events
from aevents.types import EventBatch, Sensor
from tests.recordings import MADE

MUTATIONS = int(os.environ.get("AEVENTS_MUTATIONS", "2000"))
SMALL = example_events(90)
OF_SMALL_SENSORS = {"nmnist": example_events(90, sensor=Sensor(34, 34))}


CORPUS = sorted((Path(__file__).parents[1] / "data" / "corpus").glob("*/*.bin"))


@pytest.mark.timeout(max(300, MUTATIONS // 10))
@pytest.mark.parametrize("codec", codecs(), ids=lambda codec: codec.name)
def test_a_codec_obeys_the_laws(codec: Codec) -> None:
    batch = OF_SMALL_SENSORS.get(codec.name, SMALL)
    check_codec(codec, batch=batch, recording=MADE.get(codec.name), mutations=MUTATIONS)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_once_found_something_is_read_or_refused(path: Path) -> None:
    (codec,) = (one for one in codecs() if one.name == path.parent.name)
    data = path.read_bytes()
    outcomes = []
    for chunks in ([data], [data[at : at + 1] for at in range(len(data))]):
        try:
            items = decode(codec, chunks)
        except DecodeError as error:
            outcomes.append(str(error))
        else:
            batches = [item for item in items if isinstance(item, EventBatch)]
            outcomes.append(str(EventBatch.concat(batches).t.tolist()))
    assert outcomes[0] == outcomes[1]
