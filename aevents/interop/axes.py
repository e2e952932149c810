"""What plots have in common: axes of their own or of others, colours, and units.

Importing this raises `MissingExtraError` without matplotlib.
"""

from __future__ import annotations

import io
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from aevents.errors import missing_extra
from aevents.operators.colour import MAPS, Rgb
from aevents.types import Sensor, Span

try:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
except ImportError as _missing:
    raise missing_extra("matplotlib", "plot") from _missing

DPI = 150
FAR = 10
"""Times that lie so many durations after 0 are told from the first one on."""


def _hex(colour: Rgb) -> str:
    red, green, blue = colour
    return to_hex((red / 255, green / 255, blue / 255))


ON, OFF, INK = (_hex(one) for one in (MAPS["light"].on, MAPS["light"].off, MAPS["light"].neutral))
"""Orange and blue, as in pictures, and what is neither."""
NIGHT = _hex(MAPS["dark"].background)
"""Behind what shines."""
QUIET = "#6b7280"
"""Of what is said by the way."""


class Plot(Figure):
    """A figure that a notebook shows by itself."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()


def axes_for(
    ax: Axes | None, size: tuple[float, float] = (8, 3.2), projection: str | None = None
) -> Axes:
    """Return these axes, or the ones of a new figure, of so many inches."""
    if ax is not None:
        return ax
    figure = Plot(figsize=size, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    made = figure.add_subplot(projection=projection)
    if projection is None:
        made.spines[["top", "right"]].set_visible(False)
        made.set_axisbelow(True)
    return made


def picture_axes(ax: Axes | None, sensor: Sensor, *, bar: bool = False) -> Axes:
    """Return axes for a picture of the pixels of a sensor, with a bar of colours beside it or not.

    A new figure is of 6 inches or less.
    """
    wide = sensor.width / max(sensor.height, 1)
    width, height = (6.0, 6.0 / wide) if wide > 1.5 else (4.0 * wide, 4.0)
    made = axes_for(ax, (max(width, 3.0) + bar + 0.6, max(height, 1.0) + 0.7))
    made.set(xlabel="x (pixel)", ylabel="y (pixel)")
    return made


def label(ax: Axes, *marks: Artist, at: tuple[float, float] = (1, 0)) -> None:
    """Say below the axes, at their right, what the colours mean: OFF and ON, unless there are marks
    with labels.
    """
    polarities = (Patch(color=OFF, label="OFF"), Patch(color=ON, label="ON"))
    ax.legend(
        handles=marks or polarities,
        frameon=False,
        ncols=3,
        loc="upper right",
        bbox_to_anchor=at,
        borderaxespad=2,
        borderpad=0,
        handlelength=1,
        handleheight=0.8,
        columnspacing=1,
    )


def finished(ax: Axes, title: str, note: str = "") -> Figure:
    """Give axes their title, and below it what is to be known of what they show; return their
    figure.
    """
    ax.set_title(title, loc="left", fontweight="bold", pad=18 if note else None)
    if note:
        ax.annotate(
            note,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            color=QUIET,
            fontsize="small",
        )
    return cast("Figure", ax.get_figure(root=True))  # axes without one draw nothing


class Times(NamedTuple):
    """How times in µs are shown: `since` one of them, in a `unit` of so many µs."""

    since: float
    unit: str
    us: float

    def of(self, t: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return times as they are shown."""
        shown: npt.NDArray[np.float64] = (np.asarray(t) - self.since) / self.us
        return shown

    @property
    def label(self) -> str:
        """What stands at the axis."""
        return f"time since {self.since / 1e6:,.6f} s ({self.unit})" if self.since else self.name

    @property
    def name(self) -> str:
        """Time, and its unit."""
        return f"time ({self.unit})"


def times_of(span: Span) -> Times:
    """Return how the times of a span are shown: in a unit that fits, and from its start on where it
    lies far from 0.
    """
    units = (("µs", 1), ("ms", 1e3), ("s", 1e6))
    unit, us = next((one for one in units if span.duration_us <= 2_000 * one[1]), units[-1])
    return Times(span.start if abs(span.start) > FAR * span.duration_us else 0, unit, us)


def prefixed(largest: float) -> tuple[float, str]:
    """Return by what to divide values, of which this is the largest, and the prefix of their unit.

    >>> prefixed(2.5e6)
    (1000000.0, 'M')
    """
    factors = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
    return next((one for one in factors if largest >= one[0]), (1.0, ""))
