"""How each package of this field reads a file piece by piece, and writes one.

A format is called as aevents calls it, with an option behind a dash: `aedat4-zstd`. Each way is the
one that the package's own manual shows; where there is a choice, the faster one is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Columns = tuple[Any, Any, Any, Any]
SIZE = WIDTH, HEIGHT = 1280, 720
PIECE = 32_768


def same(events: Any) -> Any:  # noqa: ANN401
    """Return the events as they are given: structures of t, x, y, p."""
    return events


class Peer(NamedTuple):
    """How one package is used.

    `read` gives a file's events in pieces, or in one piece if it can only load whole files, and
    `columns` gets at t, x, y, p of a piece; `from_below` says that it counts rows so. `given` makes
    of structures what `save` takes.
    """

    read: Callable[[str, str], Iterator[Any]]
    columns: Callable[[Any], Columns]
    save: Callable[[str, str, Any], object] | None = None
    given: Callable[[Any], Any] = same
    from_below: bool = False


def aevents() -> Peer:
    """Return this project."""
    import aevents

    options: dict[str, dict[str, Any]] = {
        "legacy": {"endianness": "legacy"},
        "seconds": {"separator": " ", "header": False, "time_unit": "s"},
        **{name: {"compression": name} for name in ("none", "lz4", "zstd")},
    }

    def save(format: str, path: str, stream: Any) -> None:  # noqa: ANN401
        name, _, option = format.partition("-")
        sink = aevents.create(path, format=name, **options.get(option, {}))
        aevents.run(lambda: stream.to(sink))

    return Peer(
        lambda _format, path: iter(aevents.open(path).blocking()),
        lambda a: (a.t, a.x, a.y, a.p),
        save,
        lambda events: aevents.from_array(events, aevents.Sensor(*SIZE)),
    )


def aedat() -> Peer:
    """Return aedat: structured arrays, field `on`, one a packet."""
    import aedat

    def read(_format: str, path: str) -> Iterator[Any]:
        return (packet["events"] for packet in aedat.Decoder(path) if "events" in packet)

    return Peer(read, lambda a: (a["t"], a["x"], a["y"], a["on"]))


def aestream() -> Peer:
    """Return AEStream: structured arrays; it streams frames, and events as a whole file."""
    import aestream

    def read(_format: str, path: str) -> Iterator[Any]:
        yield aestream.FileInput(path, SIZE).load()

    fields = ("timestamp", "x", "y", "polarity")
    return Peer(read, lambda a: tuple(a[name] for name in fields))


def dv_packets(recording: Any) -> Iterator[Any]:  # noqa: ANN401
    """Yield the events of a recording of dv-processing, packet by packet."""
    while recording.isRunning():
        events = recording.getNextEventBatch()
        if events is not None:
            yield events.numpy()


def dv_processing() -> Peer:
    """Return dv-processing: event stores, one a packet, as structured arrays."""
    import dv_processing as dv

    def given(events: Any) -> list[Any]:  # noqa: ANN401
        return [store(events[at : at + 10_000].tolist()) for at in range(0, len(events), 10_000)]

    def store(rows: list[tuple[int, ...]]) -> Any:  # noqa: ANN401
        events = dv.EventStore()
        for row in rows:
            events.push_back(*row)
        return events

    def save(format: str, path: str, stores: list[Any]) -> None:
        compression = getattr(dv.CompressionType, format.partition("-")[2].upper())
        config = dv.io.MonoCameraWriter.EventOnlyConfig("camera", SIZE, compression)
        writer = dv.io.MonoCameraWriter(path, config)
        for store in stores:
            writer.writeEvents(store)

    fields = ("timestamp", "x", "y", "polarity")
    return Peer(
        lambda _format, path: dv_packets(dv.io.MonoCameraRecording(path)),
        lambda a: tuple(a[name] for name in fields),
        save,
        given,
    )


def event_stream() -> Peer:
    """Return event_stream: structured arrays, field `on`."""
    import event_stream

    def given(events: Any) -> Any:  # noqa: ANN401
        array = np.empty(len(events), event_stream.dvs_dtype)
        for name, field in zip("txyp", ("t", "x", "y", "on"), strict=True):
            array[field] = events[name]
        array["y"] = HEIGHT - 1 - array["y"]
        return array

    def save(_format: str, path: str, events: Any) -> None:  # noqa: ANN401
        with event_stream.Encoder(path, "dvs", *SIZE) as encoder:
            encoder.write(events)

    return Peer(
        lambda _format, path: iter(event_stream.Decoder(path)),
        lambda a: (a["t"], a["x"], a["y"], a["on"]),
        save,
        given,
        from_below=True,
    )


def evlib() -> Peer:
    """Return evlib: polars frames, not sorted anew, polarity -1 and 1."""
    import evlib

    def read(_format: str, path: str) -> Iterator[Any]:
        yield evlib.load_events(path, sort=False).collect()

    def given(events: Any) -> Columns:  # noqa: ANN401
        x, y, p = (events[name].astype(np.int64) for name in "xyp")
        return x, y, events["t"] / 1e6, p

    return Peer(
        read,
        lambda a: (a["t"].to_physical(), a["x"], a["y"], a["polarity"].to_numpy() > 0),
        lambda _format, path, columns: evlib.save_events_to_text(*columns, path),
        given,
    )


def evt3() -> Peer:
    """Return evt3: four columns."""
    import evt3

    return Peer(
        lambda _format, path: iter(evt3.decode_file_batches(path)),
        lambda a: (a.timestamp, a.x, a.y, a.polarity),
    )


def evutils() -> Peer:
    """Return evutils: four columns."""
    from evutils.io import EventReader, EventWriter
    from evutils.types import EventArray

    compressions = {"none": 0, "lz4": 1, "zstd": 3}

    def given(events: Any) -> Any:  # noqa: ANN401
        return EventArray(**{name: np.ascontiguousarray(events[name]) for name in "txyp"})

    def save(format: str, path: str, events: Any) -> None:  # noqa: ANN401
        name, _, option = format.partition("-")
        options: dict[str, Any] = {"format": name} if name.startswith("evt") else {}
        if option in compressions:
            options["compression"] = compressions[option]
        with EventWriter(path, width=WIDTH, height=HEIGHT, **options) as writer:
            for start in range(0, len(events), PIECE):
                writer.write(events[start : start + PIECE])

    return Peer(
        lambda _format, path: iter(EventReader(path, n_events=PIECE)),
        lambda a: (a.t, a.x, a.y, a.p),
        save,
        given,
    )


def expelliarmus() -> Peer:
    """Return expelliarmus: structured arrays."""
    from expelliarmus import Wizard

    def given(events: Any) -> Any:  # noqa: ANN401
        dtype = np.dtype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "u1")], align=True)
        return events.astype(dtype)

    return Peer(
        lambda format, path: Wizard(format, path, chunk_size=PIECE).read_chunk(),
        lambda a: (a["t"], a["x"], a["y"], a["p"]),
        lambda format, path, events: Wizard(format).save(path, events),
        given,
    )


def faery() -> Peer:
    """Return faery: structured arrays, field `on`."""
    import faery

    versions = {"evt2": "evt2", "evt21": "evt21", "evt3": "evt3", "dat": "dat2"}
    compressions = {"none": None, "lz4": ("lz4", 1), "zstd": ("zstd", 3)}

    def given(events: Any) -> Any:  # noqa: ANN401
        array = np.empty(len(events), faery.EVENTS_DTYPE)
        for name, field in zip("txyp", ("t", "x", "y", "on"), strict=True):
            array[field] = events[name]
        return faery.events_stream_from_array(array, SIZE)

    def save(format: str, path: str, events: Any) -> None:  # noqa: ANN401
        name, _, option = format.partition("-")
        compression = compressions.get(option)
        version = versions.get(name)
        events.to_file(path, version=version, compression=compression, zero_t0=False)

    return Peer(
        lambda _format, path: iter(faery.events_stream_from_file(path)),
        lambda a: (a["t"], a["x"], a["y"], a["on"]),
        save,
        given,
    )


def h5py() -> Peer:
    """Return h5py itself, with the filters of hdf5plugin."""
    import h5py
    import hdf5plugin  # noqa: F401  # its import makes its filters known

    size = 4 * PIECE

    def read(_format: str, path: str) -> Iterator[Any]:
        with h5py.File(path) as file:
            if "CD" in file:
                events = file["CD/events"]
                for start in range(0, len(events), size):
                    rows = events[start : start + size]
                    yield {name: np.ascontiguousarray(rows[name]) for name in "txyp"}
                return
            columns = {name: file["events"][name] for name in "txyp"}
            offset = int(file["t_offset"][()]) if "t_offset" in file else 0
            for start in range(0, len(columns["t"]), size):
                piece = {name: column[start : start + size] for name, column in columns.items()}
                yield piece | {"t": piece["t"] + np.int64(offset)}

    return Peer(read, lambda a: (a["t"], a["x"], a["y"], a["p"]))


def numpy() -> Peer:
    """Return NumPy itself, for its own formats."""

    def read(_format: str, path: str) -> Iterator[Any]:
        events = np.load(path)
        yield {name: np.ascontiguousarray(events[name]) for name in "txyp"}

    def save(format: str, path: str, events: Any) -> None:  # noqa: ANN401
        if format == "npz":
            np.savez(path, **{name: events[name] for name in "txyp"})
        else:
            np.save(path, events)

    return Peer(read, lambda a: (a["t"], a["x"], a["y"], a["p"]), save)


def tonic() -> Peer:
    """Return tonic: structured arrays."""
    from tonic import io

    def read(format: str, path: str) -> Iterator[Any]:
        if format == "nmnist":
            yield io.read_mnist_file(path, io.events_struct)
        else:
            yield io.read_davis_346(path)[-1]

    return Peer(read, lambda a: (a["t"], a["x"], a["y"], a["p"]))


PEERS: dict[str, Callable[[], Peer]] = {
    "aedat": aedat,
    "aestream": aestream,
    "aevents": aevents,
    "dv-processing": dv_processing,
    "event_stream": event_stream,
    "evlib": evlib,
    "evt3": evt3,
    "evutils": evutils,
    "expelliarmus": expelliarmus,
    "faery": faery,
    "h5py": h5py,
    "numpy": numpy,
    "tonic": tonic,
}
