"""A cloud of events that turns to and fro, as an animated GIF: what is deep is seen by its motion.

Importing this raises `MissingExtraError` without matplotlib.
"""

from __future__ import annotations

import io
from functools import partial

import numpy as np

from aevents.errors import missing_extra
from aevents.interop.gathering import Events, gathered
from aevents.interop.plot import POINTS, cloud
from aevents.operators.colour import Pixels
from aevents.operators.excerpt import Excerpt, TakeExcerpt

try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from mpl_toolkits.mplot3d import Axes3D
    from PIL import Image  # matplotlib needs it
except ImportError as _missing:
    raise missing_extra("matplotlib", "plot") from _missing

__all__ = ["wiggle"]

FROM_DEGREES, TO_DEGREES = -75.0, -35.0
PICTURES = 24
"""From one side to the other; on the way back they are shown again."""
PICTURE_MS = 50
"""A multiple of 10, which is what a GIF can say; there and back take 2.3 seconds."""
DPI = 100
SIDES, GRAYS = 6, 40
"""A palette is a cube of 216 colours, and 40 shades of gray: the same in each picture, so that
nothing flickers.
"""
_STEPS = np.rint(np.linspace(0, 255, SIDES)).astype(np.uint8)
_CUBE = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS, indexing="ij"), axis=-1).reshape(-1, 3)
_RAMP = np.rint(np.linspace(0, 255, GRAYS)).astype(np.uint8)[:, None].repeat(3, axis=1)
PALETTE = np.concatenate([_CUBE, _RAMP]).tobytes()


def wiggle(
    events: Events | Excerpt, /, *, limit: int = POINTS, title: str = "Events in space and time"
) -> bytes:
    """Return an animated GIF of the `cloud` of events, seen from one side, then from the other, and
    back, for ever.

    Raises `ValueError` where there are no events.
    """
    figure = cloud(gathered(events, Excerpt, partial(TakeExcerpt, limit)), title=title)
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    [ax] = figure.axes
    assert isinstance(ax, Axes3D), "a cloud is in space"
    pictures: list[Image.Image] = []
    for part in np.linspace(0, np.pi, PICTURES):  # slower towards the ends, as a pendulum is
        turned = (1 - np.cos(part)) / 2
        ax.view_init(elev=ax.elev, azim=FROM_DEGREES + (TO_DEGREES - FROM_DEGREES) * turned)
        canvas.draw()
        pictures.append(_in_few_colours(np.asarray(canvas.buffer_rgba())[..., :3]))
    out = io.BytesIO()
    shown = [*pictures, *pictures[-2:0:-1]]
    first, *others = shown
    first.save(
        out, "GIF", save_all=True, append_images=others, duration=PICTURE_MS, loop=0, disposal=1
    )
    return out.getvalue()


def _in_few_colours(pixels: Pixels) -> Image.Image:
    """Return a picture of the nearest colours of the palette."""
    red, green, blue = (
        np.rint(pixels[..., part] * ((SIDES - 1) / 255)).astype(np.uint8) for part in range(3)
    )
    gray = np.rint(pixels[..., 1] * ((GRAYS - 1) / 255)).astype(np.uint8)
    plain = np.ptp(pixels, axis=2) == 0
    places = np.where(plain, SIDES**3 + gray, (red * SIDES + green) * SIDES + blue)
    picture = Image.fromarray(places.astype(np.uint8), "P")
    picture.putpalette(PALETTE)
    return picture
