"""Every kind that a format says it holds is what `open` gives when it is asked for."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import aevents
from aevents.cli.kinds import number_in
from aevents.codecs.base import Codec
from aevents.codecs.flatbuffer import tables
from aevents.registry import codecs
from aevents.testing import encode
from aevents.types import EventBatch, Frame, ImuBatch, Sensor, TriggerBatch
from tests.cli.items import colours, events, exposures, frame, generic, triggers
from tests.codecs.test_aedat4 import header, packet, stream
from tests.recordings import DAVIS346, END, MADE

ITEMS: Mapping[type, object] = {
    type(item): item
    for item in (
        *(events(1, 2), triggers(1, 2), exposures(1, 2), colours(1, 2), generic(1, 2)),
        frame(1),
    )
}
"""One or two of each kind, for formats that are written."""

SENSOR = Sensor(2, 1, "DAVIS")


def inertial() -> bytes:
    """Return an AEDAT4 packet of one measurement."""
    rows = np.zeros(1, [("back", "<i4"), ("t", "<i8"), ("rest", "<f4", 10), ("unused", "V4")])
    return tables("IMUS", (4, *range(12, 52, 4)), rows)


def picture() -> bytes:
    """Return an AEDAT4 packet of one frame of two pixels."""
    places = (4, 12, 20, 28, 36, 44, 46, 48, 0, 0, 52)
    data = struct.pack("<I4s", 36, b"FRME") + struct.pack("<13H", 26, 56, *places) + bytes(2)
    data += struct.pack("<i5q", 28, *[50] * 5) + struct.pack("<bxhhxxI", 0, 2, 1, 4)
    data += struct.pack("<I", 2) + b"ab"
    return struct.pack("<I", len(data)) + data


def aedat4(kind: str, data: bytes) -> bytes:
    """Return a file of one stream with one packet."""
    description = stream(0, kind, "other", SENSOR)
    xml = f'<dv version="2.0"><node name="outInfo">{description}</node></dv>'
    return header(xml=xml) + packet(0, data)


FILES: Mapping[tuple[str, type], bytes] = {
    **{(name, EventBatch): data for name, data in MADE.items()},
    ("aedat2", TriggerBatch): DAVIS346 + END + struct.pack(">II", 1 << 10, 7),
    **{("aedat3", kind): MADE["aedat3"] for kind in (TriggerBatch, ImuBatch, Frame)},
    ("aedat4", ImuBatch): aedat4("IMUS", inertial()),
    ("aedat4", Frame): aedat4("FRME", picture()),
}
"""Files of kinds that are not written here."""
BAGS = ("rosbag", "mcap")
"""Their kinds are tested with them, in tests/containers."""
HELD = [
    (codec, kind)
    for codec in codecs()
    if codec.streams and codec.name not in BAGS
    for kind in codec.kinds
]


def recording(codec: Codec, kind: type) -> bytes:
    """Return a file that holds some of this kind."""
    if (codec.name, kind) in FILES:
        return FILES[codec.name, kind]
    assert codec.encoder is not None, "put one into FILES"
    options = codec.limits.options.get(kind, {})
    return encode(codec.encoder(**options), [ITEMS[kind]])


@pytest.mark.parametrize(
    ("codec", "kind"), HELD, ids=[f"{codec.name}-{kind.__name__}" for codec, kind in HELD]
)
def test_a_kind_that_is_held_is_given_when_it_is_asked_for(
    codec: Codec, kind: type, tmp_path: Path
) -> None:
    path = tmp_path / f"held{codec.suffixes[0]}"
    path.write_bytes(recording(codec, kind))
    items = list(aevents.open(path, kind=kind, strict=True).blocking())
    assert {type(item) for item in items} == {kind}
    assert sum(map(number_in, items)) > 0
    everything = list(aevents.open(path, kind=object).blocking())
    assert sum(number_in(item) for item in everything if isinstance(item, kind)) == sum(
        map(number_in, items)
    )


@pytest.mark.parametrize(
    "codec",
    [one for one in codecs() if one.streams and one.name not in BAGS],
    ids=lambda one: one.name,
)
def test_a_kind_that_is_not_held_is_refused(codec: Codec, tmp_path: Path) -> None:
    path = tmp_path / f"held{codec.suffixes[0]}"
    path.write_bytes(recording(codec, codec.kinds[0]))
    unasked = {EventBatch} if codec.kinds == (Frame,) else set()  # frames come unasked
    for kind in {*ITEMS, ImuBatch, Frame} - {*codec.kinds} - unasked:
        with pytest.raises(ValueError, match=f"{codec.name} holds .*, not {kind.__name__}"):
            list(aevents.open(path, kind=kind).blocking())
