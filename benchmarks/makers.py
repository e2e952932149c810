"""How each package of this field filters events, makes frames of them, and cuts streams.

Each way is the one that the package's own manual shows, from events as the package itself holds
them to a dense array, or to the events that are kept, as the package gives them. `WORKS` names them
by what is made and who makes it; each is given structures of t, x, y, p, of a sensor of 1280x720,
or bytes, and returns what does the work, which returns how many numbers, events or bytes it made.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

Work = Callable[[], int]
SIZE = WIDTH, HEIGHT = 1280, 720
BINS = 5
NOISE_US, REST_US, TAU_US, CELL, RADIUS = 2_000, 1_000, 50_000, 10, 3
FILL = 0.5
WRITE, CHUNK = 1 << 10, 64 << 10
CHUNKS = "writes of 1 KiB into chunks of 64 KiB"


def ours(events: Any, make: Callable[[], Any]) -> Work:  # noqa: ANN401
    """Return what feeds one window, as frames and tensors are made of it."""
    import aevents

    columns = {name: np.ascontiguousarray(events[name]) for name in "txyp"}
    batch = aevents.EventBatch.from_columns(**columns, sensor=aevents.Sensor(*SIZE))
    window = batch.as_window(batch.span)

    def work() -> int:
        operator = make()
        items = [*operator.feed(window), *operator.flush()]
        return sum(len(item) if hasattr(item, "t") else item.array.size for item in items)

    return work


def aevents(name: str, *arguments: object, **options: object) -> Callable[[Any], Work]:
    """Return the way of one of our operators."""

    def make() -> Any:  # noqa: ANN401
        import aevents

        return getattr(aevents, name)(*arguments, **options)

    return lambda events: ours(events, make)


def tonic(name: str, **options: object) -> Callable[[Any], Work]:
    """Return the way of one of tonic's functions, which take structured arrays."""

    def prepared(events: Any) -> Work:  # noqa: ANN401
        from tonic import functional

        make = getattr(functional, f"{name}_numpy")
        given = events.astype([("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i4")])
        dense: dict[str, Any] = {"sensor_size": (*SIZE, 2)} if name.startswith("to_") else {}
        if name == "to_timesurface":
            dense["dt"] = given["t"][-1] - given["t"][0]

        def work() -> int:
            made = make(given, **dense, **options)
            return made.size if dense else len(made)

        return work

    return prepared


def polars(events: Any) -> Any:  # noqa: ANN401
    """Return the frame that evlib reads files into."""
    import polars as pl

    return pl.DataFrame(
        {
            "t": pl.Series(events["t"]).cast(pl.Duration("us")),
            "x": events["x"].astype(np.int16),
            "y": events["y"].astype(np.int16),
            "polarity": events["p"].astype(np.int8),
        }
    )


def evlib_voxels(events: Any) -> Work:  # noqa: ANN401
    """Return evlib's voxel grid, as a dense array."""
    import evlib

    given = polars(events)

    def work() -> int:
        grid = evlib.create_voxel_grid(given, HEIGHT, WIDTH, BINS)
        return evlib.densify_voxel_grid(grid, BINS, HEIGHT, WIDTH).size

    return work


def evlib_surface(events: Any) -> Work:  # noqa: ANN401
    """Return evlib's time surface, as a dense array."""
    import evlib

    given, first = polars(events), float(events["t"][0])
    dt = float(events["t"][-1]) - first

    def work() -> int:
        surface = evlib.create_time_surface(given, HEIGHT, WIDTH, dt=dt, tau=TAU_US)
        dense = evlib.densify_time_surface(surface, 1, 2, HEIGHT, WIDTH, dt, TAU_US, first)
        return dense.size

    return work


def evlib_frame(events: Any) -> Work:  # noqa: ANN401
    """Return evlib's counts of both polarities, as a dense array."""
    import evlib

    given = polars(events)

    def work() -> int:
        frame = evlib.create_event_frame(given, HEIGHT, WIDTH, 1)
        return evlib.densify_event_frame(frame, 1, 2, HEIGHT, WIDTH).size

    return work


def evlib_refractory(events: Any) -> Work:  # noqa: ANN401
    """Return evlib's filter of noise, which is a refractory period."""
    import evlib

    given = polars(events)
    return lambda: (
        evlib.filtering.filter_noise(given, refractory_period_us=REST_US).collect().height
    )


def dv_store(events: Any) -> Any:  # noqa: ANN401
    """Return the events as dv-processing holds them."""
    import dv_processing as dv

    store = dv.EventStore()
    for row in events.tolist():
        store.push_back(*row)
    return store


def dv_background(events: Any) -> Work:  # noqa: ANN401
    """Return dv-processing's filter of background activity."""
    import dv_processing as dv

    store, duration = dv_store(events), datetime.timedelta(microseconds=NOISE_US)

    def work() -> int:
        noise = dv.noise.BackgroundActivityNoiseFilter(SIZE, backgroundActivityDuration=duration)
        noise.accept(store)
        return noise.generateEvents().size()

    return work


def faery_lines(events: Any) -> Work:  # noqa: ANN401
    """Return faery's filter of arbiter saturation."""
    import faery

    given = np.zeros(len(events), faery.EVENTS_DTYPE)
    for name, field in zip("txyp", ("t", "x", "y", "on"), strict=True):
        given[field] = events[name]
    stream = faery.events_stream_from_array(given, SIZE)
    return lambda: len(stream.filter_arbiter_saturation_lines(FILL).to_array())


def pieces(data: Any) -> list[bytes]:  # noqa: ANN401
    """Return bytes as they come: a KiB at a time."""
    return [data[at : at + WRITE].tobytes() for at in range(0, len(data), WRITE)]


def our_chunks(data: Any) -> Work:  # noqa: ANN401
    """Return a stream, read with `async for`."""
    import aevents

    stream = aevents.from_chunks(pieces(data)).rechunk(CHUNK)

    async def read() -> int:
        return sum([len(chunk) async for chunk in stream])

    return lambda: aevents.run(read)


def emitted(module: str) -> Callable[[Any], Work]:
    """Return the way of ocycle's class, or of ours of that name."""

    def prepared(data: Any) -> Work:  # noqa: ANN401
        emit, writes = import_module(module).BufferEmit, pieces(data)

        def work() -> int:
            sizes: list[int] = []
            buffer = emit(lambda value, _: sizes.append(len(value)), CHUNK)
            for piece in writes:
                buffer.write(piece)
            buffer.close()
            return sum(sizes)

        return work

    return prepared


WORKS: dict[str, dict[str, Callable[[Any], Work]]] = {
    "frame, two polarities": {
        "aevents": aevents("Frames", "polarity"),
        "tonic": tonic("to_frame", n_time_bins=1),
        "evlib": evlib_frame,
    },
    "time surface": {
        "aevents": aevents("TimeSurface", tau_us=TAU_US),
        "tonic": tonic("to_timesurface", tau=TAU_US),
        "evlib": evlib_surface,
    },
    "voxel grid": {
        "aevents": aevents("VoxelGrid", BINS),
        "tonic": tonic("to_voxel_grid", n_time_bins=BINS),
        "evlib": evlib_voxels,
    },
    "stack by count": {
        "aevents": aevents("Stack", BINS, by="count", mode="polarity"),
        "tonic": tonic("to_frame", n_event_bins=BINS),
    },
    "HATS": {
        "aevents": aevents(
            "Hats", cell=CELL, radius=RADIUS, tau_us=TAU_US, within_us=100_000, memory=1 << 30
        ),
        "tonic": tonic(
            "to_averaged_timesurface",
            cell_size=CELL,
            surface_size=2 * RADIUS + 1,
            time_window=100_000,
            tau=TAU_US,
            decay="exp",
        ),
    },
    "background activity": {
        "aevents": aevents("Denoise", NOISE_US),
        "dv-processing": dv_background,
        "tonic": tonic("denoise", filter_time=NOISE_US),
    },
    "refractory period": {
        "aevents": aevents("Refractory", REST_US),
        "tonic": tonic("refractory_period", refractory_period=REST_US),
        "evlib": evlib_refractory,
    },
    "arbiter saturation": {
        "aevents": aevents("WithoutLines", FILL),
        "faery": faery_lines,
    },
    CHUNKS: {
        "aevents": our_chunks,
        "aevents, BufferEmit": emitted("aevents.compat"),
        "ocycle": emitted("ocycle"),
    },
}
