"""Undo what a lens does to the picture, through a table of where each pixel belongs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aevents.operators.pixels import PerSensor, looked_up, on_sensor, picked, with_columns
from aevents.types import Coordinates, EventBatch, Flags, Sensor

Vector = npt.NDArray[np.float64]

STEPS = 10
CLOSE = 0.05
"""So many pixels from its own place, at most, the lens may put the point that was found."""
NOWHERE = 65535


class Undistort:
    """Move each event to where a lens without distortion would have put it.

    `camera` is the matrix `[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]` in pixels, `distortion` the
    coefficients `(k1, k2, p1, p2)` or `(k1, k2, p1, p2, k3)` of Brown's model, as calibrations give
    them, with the middle of the upper left pixel at (0, 0). With `u = (x - cx) / fx`, `v = (y - cy)
    / fy` and `r2 = u² + v²` of a point without distortion, the lens puts it at

        u' = u (1 + k1 r2 + k2 r2² + k3 r2³) + 2 p1 u v + p2 (r2 + 2 u²)
        v' = v (1 + k1 r2 + k2 r2² + k3 r2³) + p1 (r2 + 2 v²) + 2 p2 u v

    (Brown, "Decentering distortion of lenses", 1966). For each pixel the point that is put there is
    found once, by Newton's method, and rounded to the nearest pixel. Events that leave the picture,
    or of which no such point is found, are left out, as `Crop` does; pixels that nothing moves to
    stay empty. Events off the sensor are left out and counted: `outside_sensor`.

    Raises `ValueError` for another matrix, another number of coefficients, and when the sensor size
    is not known.
    """

    def __init__(self, camera: npt.ArrayLike, distortion: npt.ArrayLike) -> None:
        matrix, terms = np.asarray(camera, np.float64), np.asarray(distortion, np.float64)
        if matrix.shape != (3, 3) or not _is_camera(matrix):
            raise ValueError(
                f"a camera matrix is [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], not {matrix.tolist()}"
            )
        if terms.shape not in ((4,), (5,)) or not np.isfinite(terms).all():
            raise ValueError(f"distortion is (k1, k2, p1, p2) or with k3, not {terms.tolist()}")
        self.counts: dict[str, int] = {"outside_sensor": 0}
        self._camera = matrix
        self._terms = np.append(terms, np.zeros(5 - len(terms)))
        self._tables = PerSensor(self._table)

    def feed(self, batch: EventBatch, /) -> tuple[EventBatch]:
        """Give the events at their new places."""
        columns, rows = self._tables[batch.sensor]
        inside = on_sensor(batch)
        self.counts["outside_sensor"] += len(batch) - int(np.count_nonzero(inside))
        batch = picked(batch, inside)
        batch = picked(batch, looked_up(columns, batch.x, batch.y) != NOWHERE)
        x, y = looked_up(columns, batch.x, batch.y), looked_up(rows, batch.x, batch.y)
        return (with_columns(batch, batch.t, x, y, batch.p),)

    def flush(self) -> tuple[()]:
        """Give nothing."""
        return ()

    def _table(self, sensor: Sensor) -> tuple[Coordinates, Coordinates]:
        """Return the new column and row of each pixel, `NOWHERE` for those that have none."""
        table = np.full((2, sensor.height, sensor.width), NOWHERE, np.uint16)
        for row in range(sensor.height):
            x, y, found = self._row(row, sensor)
            table[0, row, found], table[1, row, found] = x[found], y[found]
        return table[0], table[1]

    def _row(self, row: int, sensor: Sensor) -> tuple[Vector, Vector, Flags]:
        """Return the places of the pixels of a row, and which of them are good."""
        (fx, _, cx), (_, fy, cy), _ = self._camera.tolist()
        u0, v0 = (np.arange(sensor.width) - cx) / fx, np.full(sensor.width, (row - cy) / fy)
        with np.errstate(all="ignore"):  # points far out may leave all bounds: they are not found
            u, v = _straight(u0, v0, self._terms)
            bent = _bent(u, v, self._terms)
            missed = np.maximum(np.abs(bent.u - u0) * fx, np.abs(bent.v - v0) * fy)
            x, y = np.rint(u * fx + cx), np.rint(v * fy + cy)
            on = (x >= 0) & (x < sensor.width) & (y >= 0) & (y < sensor.height)
        return x, y, on & (missed <= CLOSE)


def _is_camera(matrix: Vector) -> bool:
    rest = matrix[(0, 1, 2, 2), (1, 0, 0, 1)]
    sound = np.isfinite(matrix).all() and not rest.any() and matrix[2, 2] == 1
    return bool(sound and matrix[0, 0] > 0 and matrix[1, 1] > 0)


class _Bent(NamedTuple):
    """Where the lens puts points, and how that changes with them: its Jacobian is symmetric."""

    u: Vector
    v: Vector
    du_du: Vector
    du_dv: Vector
    dv_dv: Vector


def _bent(u: Vector, v: Vector, terms: Vector) -> _Bent:
    k1, k2, p1, p2, k3 = terms
    r2 = u * u + v * v
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    return _Bent(
        u * radial + 2 * p1 * u * v + p2 * (r2 + 2 * u * u),
        v * radial + p1 * (r2 + 2 * v * v) + 2 * p2 * u * v,
        radial + u * u * slope + 2 * p1 * v + 6 * p2 * u,
        u * v * slope + 2 * p1 * u + 2 * p2 * v,
        radial + v * v * slope + 6 * p1 * v + 2 * p2 * u,
    )


def _straight(u0: Vector, v0: Vector, terms: Vector) -> tuple[Vector, Vector]:
    """Return the points that the lens puts at those given, by Newton's method."""
    u, v = u0, v0
    for _ in range(STEPS):
        at = _bent(u, v, terms)
        across, down = at.u - u0, at.v - v0
        area = at.du_du * at.dv_dv - at.du_dv * at.du_dv
        u = u - (at.dv_dv * across - at.du_dv * down) / area
        v = v - (at.du_du * down - at.du_dv * across) / area
    return u, v
