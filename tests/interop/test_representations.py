"""Other software makes the same of the same events, where it has the same representation or filter.

It lives in the environment of peers: see `test_peers.py`. (expelliarmus only reads and writes.)
Where it differs, and from what:

    voxel grid   n bins of tonic's and evlib's are n + 1 of ours without the last: they divide time
                 by n, where the paper and E2VID divide it by n - 1
    HATS         in tonic's each event sees itself, 1 in the middle, and those of its own
                 microsecond; in the paper's it does not
    frames       of tonic and evlib by a number of bins: whole µs a bin, the rest of the time left
                 out
    refractory   of tonic and evlib: each event begins the rest anew, in ours one that is kept does;
                 the same where no pixel has a third event within two rests
    noise        dv-processing takes each pixel to have had an event at time 0; tonic's looks at 4
                 neighbours and at the event itself
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from aevents import (
    Denoise,
    EventBatch,
    Hats,
    Refractory,
    Sensor,
    Span,
    Stack,
    TimeSurface,
    VoxelGrid,
)

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("AEVENTS_PEERS", ROOT / ".venv-peers" / "bin" / "python"))
WIDTH, HEIGHT = 60, 40
COUNT, DURATION_US = 6_000, 1_000_000
TONIC = """
import sys
import numpy as np
from tonic import functional
events, size = np.load(sys.argv[1]), (60, 40, 2)
np.savez(
    sys.argv[2],
    surface=functional.to_timesurface_numpy(events, size, dt=1_000_000, tau=50_000)[0],
    voxels=functional.to_voxel_grid_numpy(events.copy(), size, 5)[:, 0],
    hats=functional.to_averaged_timesurface_numpy(events, size, 10, 7, 200_000, 50_000, "exp"),
    stack=functional.to_frame_numpy(events, size, n_event_bins=4),
    rested=functional.refractory_period_numpy(events, REST - 1)["t"],
)
"""
EVLIB = """
import sys
import evlib
import numpy as np
import polars as pl
events, last = np.load(sys.argv[1]), float(np.load(sys.argv[1])["t"][-1])
columns = {name: events[name].astype("i2") for name in "xy"}
frame = pl.DataFrame(
    {"t": pl.Series(events["t"]).cast(pl.Duration("us")), "polarity": events["p"], **columns}
)
voxels = evlib.create_voxel_grid(frame, 40, 60, 5)
surface = evlib.create_time_surface(frame, 40, 60, dt=1_000_000, tau=50_000)
rested = evlib.filtering.filter_noise(frame, refractory_period_us=REST - 1).collect()
np.savez(
    sys.argv[2],
    voxels=evlib.densify_voxel_grid(voxels, 5, 40, 60)[:, 0],
    surface=evlib.densify_time_surface(surface, 1, 2, 40, 60, 1_000_000, 50_000, 0.0)[0],
    rested=rested.sort("t")["t"].to_physical().to_numpy(),
)
"""
DV = """
import sys
from datetime import timedelta
import dv_processing as dv
import numpy as np
store = dv.EventStore()
for t, x, y, p in np.load(sys.argv[1]).tolist():
    store.push_back(t + 1_000_000, x, y, bool(p))
noise = dv.noise.BackgroundActivityNoiseFilter((60, 40), timedelta(microseconds=NOISE))
noise.accept(store)
np.savez(sys.argv[2], quiet=noise.generateEvents().numpy()["timestamp"] - 1_000_000)
"""
REST_US, NOISE_US = 2_000, 20_000
Made = dict[str, npt.NDArray[np.float64]]

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}: make .venv-peers/.installed"),
]


@pytest.fixture(scope="module")
def events() -> EventBatch:
    """Events of all different times: the first at 0, the last at the end."""
    draw = np.random.default_rng(5)
    t = np.sort(draw.choice(np.arange(1, DURATION_US - 1), COUNT, replace=False))
    t[[0, -1]] = 0, DURATION_US - 1
    x, y, p = (draw.integers(0, most, COUNT) for most in (WIDTH, HEIGHT, 2))
    sensor, span = Sensor(WIDTH, HEIGHT), Span(0, DURATION_US)
    return EventBatch.from_columns(t=t, x=x, y=y, p=p, sensor=sensor).as_window(span)


@pytest.fixture(scope="module")
def given(events: EventBatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of them."""
    columns = np.zeros(len(events), [("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i4")])
    for name in "txyp":
        columns[name] = getattr(events, name)
    path = tmp_path_factory.mktemp("peers") / "events.npy"
    np.save(path, columns)
    return path


def made_by(code: str, given: Path) -> Made:
    """Return what other software makes of them."""
    numbers = {"REST": str(REST_US), "NOISE": str(NOISE_US)}
    for name, number in numbers.items():
        code = code.replace(name, number)
    command = [str(PYTHON), "-c", code, str(given), str(given.with_name("made.npz"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(given.with_name("made.npz")) as made:
        return {name: made[name].astype(np.float64) for name in made.files}


@pytest.fixture(scope="module")
def theirs(given: Path) -> Made:
    """What tonic makes of them."""
    return made_by(TONIC, given)


@pytest.fixture(scope="module")
def evlibs(given: Path) -> Made:
    """What evlib makes of them."""
    return made_by(EVLIB, given)


def array_of(
    make: TimeSurface | VoxelGrid | Stack | Hats, events: EventBatch
) -> npt.NDArray[np.float64]:
    (frame,) = make.feed(events)
    return np.asarray(frame.array, np.float64)


def test_a_time_surface_is_tonics(events: EventBatch, theirs: Made) -> None:
    ours = array_of(TimeSurface(tau_us=50_000), events)
    np.testing.assert_allclose(ours, theirs["surface"], atol=1e-6)


def test_a_voxel_grid_is_tonics_of_one_bin_less(events: EventBatch, theirs: Made) -> None:
    ours = array_of(VoxelGrid(6), events)
    np.testing.assert_allclose(ours[:5], theirs["voxels"], atol=1e-5)


def test_histograms_are_tonics_without_the_event_itself(events: EventBatch, theirs: Made) -> None:
    ours = array_of(Hats(cell=10, radius=3, tau_us=50_000, within_us=200_000), events)
    rows, columns = HEIGHT // 10, WIDTH // 10
    expected = theirs["hats"].reshape(rows, columns, 2, 7, 7).transpose(2, 0, 1, 3, 4).copy()
    expected[..., 3, 3] -= 1
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_a_stack_by_count_is_tonics(events: EventBatch, theirs: Made) -> None:
    ours = array_of(Stack(4, by="count", mode="polarity"), events)
    np.testing.assert_array_equal(ours, theirs["stack"])


def test_a_time_surface_is_evlibs(events: EventBatch, evlibs: Made) -> None:
    ours = array_of(TimeSurface(tau_us=50_000), events)
    np.testing.assert_allclose(ours, evlibs["surface"], atol=1e-6)


def test_a_voxel_grid_is_evlibs_of_one_bin_less(events: EventBatch, evlibs: Made) -> None:
    ours = array_of(VoxelGrid(6), events)
    np.testing.assert_allclose(ours[:5], evlibs["voxels"], atol=1e-5)


def test_a_refractory_period_is_tonics_and_evlibs(
    events: EventBatch, theirs: Made, evlibs: Made
) -> None:
    (rested,) = Refractory(REST_US).feed(events)
    assert len(rested) < len(events) - 10
    np.testing.assert_array_equal(rested.t[1:], theirs["rested"])  # its pixels rest at time 0
    np.testing.assert_array_equal(rested.t, evlibs["rested"])


def test_the_filter_of_noise_is_that_of_dv_processing(events: EventBatch, given: Path) -> None:
    (quiet,) = Denoise(NOISE_US).feed(events)
    assert 10 < len(quiet) < len(events) - 10
    np.testing.assert_array_equal(quiet.t, made_by(DV, given)["quiet"])
