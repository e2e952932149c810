"""HDF5 files for tests: written by h5py, or by our sink."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import aevents
from aevents.types import EventBatch, TriggerBatch


def put(
    path: Path,
    datasets: Mapping[str, Any],
    *,
    packed: Mapping[str, Any] | None = None,
    **attrs: object,
) -> Path:
    """Write these datasets by h5py, the larger ones `packed`."""
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            options = (packed or {}) if np.size(values) > 10 else {}
            file.create_dataset(name, data=values, **options)
        file.attrs.update(attrs)
    return path


def written(
    path: Path,
    *items: EventBatch | TriggerBatch,
    **options: Any,  # noqa: ANN401  # of any sink
) -> Path:
    """Write these items by our sink."""

    sink = aevents.create(path, **options)

    async def write() -> None:
        try:
            for item in items:
                await sink.write(item)
        finally:
            await sink.aclose()

    asyncio.run(write())
    return path


def apart(events: EventBatch, group: str = "events", names: str = "t x y p") -> dict[str, Any]:
    """Return a dataset a column, with these names for t, x, y and p."""
    columns = (events.t, events.x, events.y, events.p.astype(np.uint8))
    return {f"{group}/{name}": one for name, one in zip(names.split(), columns, strict=True)}
