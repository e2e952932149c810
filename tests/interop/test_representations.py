"""tonic makes the same of the same events, where it has the same representation.

It lives in the environment of peers: see `test_peers.py`. Where it differs, and from what:

    voxel grid   n bins of it are n + 1 of ours without the last: it divides time by n, where the
                 paper and E2VID divide it by n - 1
    HATS         each event sees itself, 1 in the middle, and those of its own microsecond; the
                 paper's does not
    frames       by a number of bins: whole µs a bin, and the rest of the time left out
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from aevents import EventBatch, Hats, Sensor, Span, Stack, TimeSurface, VoxelGrid

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
)
"""

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
def theirs(
    events: EventBatch, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, npt.NDArray[np.float64]]:
    """What tonic makes of them."""
    folder = tmp_path_factory.mktemp("tonic")
    columns = np.zeros(len(events), [("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i4")])
    for name in "txyp":
        columns[name] = getattr(events, name)
    np.save(folder / "events.npy", columns)
    command = [str(PYTHON), "-c", TONIC, str(folder / "events.npy"), str(folder / "made.npz")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "made.npz") as made:
        return {name: made[name].astype(np.float64) for name in made.files}


def array_of(
    make: TimeSurface | VoxelGrid | Stack | Hats, events: EventBatch
) -> npt.NDArray[np.float64]:
    (frame,) = make.feed(events)
    return np.asarray(frame.array, np.float64)


def test_a_time_surface_is_tonics(
    events: EventBatch, theirs: dict[str, npt.NDArray[np.float64]]
) -> None:
    ours = array_of(TimeSurface(tau_us=50_000), events)
    np.testing.assert_allclose(ours, theirs["surface"], atol=1e-6)


def test_a_voxel_grid_is_tonics_of_one_bin_less(
    events: EventBatch, theirs: dict[str, npt.NDArray[np.float64]]
) -> None:
    ours = array_of(VoxelGrid(6), events)
    np.testing.assert_allclose(ours[:5], theirs["voxels"], atol=1e-5)


def test_histograms_are_tonics_without_the_event_itself(
    events: EventBatch, theirs: dict[str, npt.NDArray[np.float64]]
) -> None:
    ours = array_of(Hats(cell=10, radius=3, tau_us=50_000, within_us=200_000), events)
    rows, columns = HEIGHT // 10, WIDTH // 10
    expected = theirs["hats"].reshape(rows, columns, 2, 7, 7).transpose(2, 0, 1, 3, 4).copy()
    expected[..., 3, 3] -= 1
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_a_stack_by_count_is_tonics(
    events: EventBatch, theirs: dict[str, npt.NDArray[np.float64]]
) -> None:
    ours = array_of(Stack(4, by="count", mode="polarity"), events)
    np.testing.assert_array_equal(ours, theirs["stack"])
