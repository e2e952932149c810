"""What the pixels of an event camera are like: the numbers of a model, and sets of them by name."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log, log10
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import asdict

Preset = Literal["default", "ideal", "clean", "noisy"]
Plane = npt.NDArray[np.float32]

LEAST_THRESHOLD = 0.01
"""What draws of thresholds are raised to, as in v2e."""


class Dvs(msgspec.Struct, frozen=True, kw_only=True):
    """The pixels of an event camera. As it is, with what v2e has on its command line.

    `on` and `off`: thresholds, in logarithms of light (0.2: a change by 22 %), `spread` their
    standard deviation over the pixels. `cutoff_hz`: of the low pass of a white pixel, 0 for none;
    darker ones are slower. `leak_hz`: ON events without any change, `leak_jitter` the standard
    deviation of that from picture to picture, as a share. `shot_hz`: noise events of a dark pixel,
    half of them ON; on a white one a quarter of that. `rate_spread`: standard deviation of the leak
    over the pixels, in decades. `photoreceptor_noise`: noise events are not drawn, but come of
    normal noise, through the low pass of a white pixel, that is added to what each pixel sees; its
    deviation is such that there are about as many as `shot_hz` says. `refractory_us`: how long a
    pixel rests after an event. `log_eps`: what ESIM adds to light of 0 to 1 before it takes the
    logarithm.
    """

    on: float = 0.2
    off: float = 0.2
    spread: float = 0.03
    cutoff_hz: float = 300
    leak_hz: float = 0.01
    leak_jitter: float = 0.1
    shot_hz: float = 0.001
    rate_spread: float = 0.1
    refractory_us: float = 500
    log_eps: float = 1e-3
    photoreceptor_noise: bool = False

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = {"on": LEAST_THRESHOLD, "off": LEAST_THRESHOLD, "log_eps": 1e-9}.get(name, 0)
            if not (isfinite(value) and value >= least):
                raise ValueError(f"{name} is a number from {least:g} on, not {value!r}")
        if self.refractory_us >= 1 << 40:
            raise ValueError(f"refractory_us is below 2^40, not {self.refractory_us!r}")
        if self.photoreceptor_noise and not (self.shot_hz and self.cutoff_hz):
            raise ValueError("photoreceptor_noise takes a shot_hz and a cutoff_hz above 0")


IDEAL = Dvs(
    spread=0, cutoff_hz=0, leak_hz=0, leak_jitter=0, shot_hz=0, rate_spread=0, refractory_us=0
)
PRESETS: Mapping[Preset, Dvs] = {
    "default": Dvs(),
    "ideal": IDEAL,
    "clean": msgspec.structs.replace(IDEAL, spread=0.02),
    "noisy": Dvs(spread=0.05, cutoff_hz=30, leak_hz=0.1, shot_hz=5, refractory_us=0),
}
"""`default` is what v2e's command line has; `clean` and `noisy` are its sets of these names."""


def dvs_of(preset: Preset, changes: Mapping[str, float], /) -> Dvs:
    """Return the pixels of this name with changes. Raises `ValueError` for names that are not
    known, and for numbers out of their range.
    """
    if preset not in PRESETS:
        raise ValueError(f"a preset is one of {', '.join(PRESETS)}, not {preset!r}")
    unknown = set(changes) - set(Dvs.__struct_fields__)
    if unknown:
        known = ", ".join(Dvs.__struct_fields__)
        raise ValueError(f"pixels have no {sorted(unknown)[0]}; known: {known}")
    return Dvs(**{**asdict(PRESETS[preset]), **changes})


class Maps(msgspec.Struct, frozen=True, eq=False):
    """What each pixel is like: thresholds, and what it gains by leaking, a second. All are float32,
    `(height, width)`.
    """

    on: Plane
    off: Plane
    leak: Plane


def draw_maps(
    pixels: Dvs,
    shape: tuple[int, int],
    seed: int,
    thresholds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
) -> Maps:
    """Draw what each pixel is like: the same for the same seed; thresholds unless they are given.

    Raises `ValueError` for maps of another shape, and thresholds below 0.01.
    """
    dice = np.random.Generator(np.random.Philox(seed))
    drawn = [_normal(dice, pixels.spread, shape) for _ in range(2)]
    on, off = (
        np.maximum(plane + np.float32(mean), np.float32(LEAST_THRESHOLD))
        for plane, mean in zip(drawn, (pixels.on, pixels.off), strict=True)
    )
    if thresholds is not None:
        on, off = (_checked(plane, shape) for plane in thresholds)
    rate = np.exp(_normal(dice, pixels.rate_spread * log(10) if pixels.leak_hz else 0, shape))
    return Maps(on, off, rate * on * np.float32(pixels.leak_hz))


def noise_deviation(pixels: Dvs, maps: Maps, /) -> float:
    """Return the standard deviation of noise in the photoreceptor, after its low pass, by which
    there are about as many noise events as `shot_hz` says.

    That is v2e's: a polynomial gives the threshold in deviations, by how many ON events there are a
    second and hertz of the low pass, where those are 1e-5 to 1. It is fitted to Fig. 3 of Graca,
    Delbruck, Unraveling the Paradox of Intensity-Dependent DVS Pixel Noise, arXiv:2109.08640, 2021.
    The lower threshold of each pixel counts.
    """
    x = log10(pixels.shot_hz / 2 / pixels.cutoff_hz)
    deviations = 10 ** (((-0.0026 * x - 0.036) * x - 0.1949) * x + 0.321)
    return float(np.minimum(maps.on, maps.off).mean()) / deviations


def _normal(dice: np.random.Generator, spread: float, shape: tuple[int, int]) -> Plane:
    if spread == 0:
        return np.zeros(shape, np.float32)
    return dice.standard_normal(shape, np.float32) * np.float32(spread)


def _checked(thresholds: npt.ArrayLike, shape: tuple[int, int]) -> Plane:
    plane = np.array(thresholds, np.float32, order="C")
    if plane.shape != shape:
        raise ValueError(f"thresholds are (height, width) {shape}, not {plane.shape}")
    if not (plane.min() >= np.float32(LEAST_THRESHOLD) and np.isfinite(plane).all()):
        raise ValueError(f"thresholds are {LEAST_THRESHOLD} or more")
    return plane
