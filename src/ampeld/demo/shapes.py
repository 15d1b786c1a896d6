"""How bright the simulated things are: difference fluxes over time from simple analytic shapes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["asteroid", "variable", "agn", "bogus", "sn_ia", "sn_ii", "fast"]
SUPERNOVAE: tuple[Kind, ...] = ("sn_ia", "sn_ii", "fast")
"""The injected transients, the ones that a channel should find."""

Times = NDArray[np.float64]


def flux_of(mag: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the flux of a magnitude, 1 at 25 mag."""
    return np.asarray(10 ** (-0.4 * (np.asarray(mag) - 25.0)))


@dataclass(frozen=True)
class Shape:
    """A supernova's light curve: a rise like sin^2 (as t^2 when young), then two straight lines in magnitude."""

    rise_d: float
    decline: tuple[float, float]
    """Fading after the peak in g and r [mag/d]."""
    knee_d: float
    """Days after the peak at which the second line begins."""
    tail: tuple[float, float]
    """Fading beyond the knee in g and r [mag/d]."""
    colour: float
    """g - r at the peak [mag]."""
    fresh_d: tuple[float, float]
    """Days after the explosion at which the survey sees it in a simulated night."""


SHAPES: dict[Kind, Shape] = {
    "sn_ia": Shape(17.5, (0.075, 0.045), 28.0, (0.02, 0.03), 0.0, (4.0, 45.0)),
    "sn_ii": Shape(7.0, (0.018, 0.004), 85.0, (0.06, 0.05), 0.05, (2.0, 60.0)),
    "fast": Shape(3.0, (0.22, 0.17), 12.0, (0.12, 0.10), -0.1, (1.0, 8.0)),
}


def supernova(kind: Kind, age: Times, fid: NDArray[np.int64], peak_mag: float, stretch: float) -> Times:
    """Return the flux of a supernova.

    Parameters
    ----------
    kind
        One of `SUPERNOVAE`.
    age : shape (n,)
        Days since the explosion; negative before it.
    fid : shape (n,)
        Band: 1 g, 2 r.
    peak_mag
        r magnitude at the peak [mag].
    stretch
        Factor of time, about 1.
    """
    shape = SHAPES[kind]
    age = age / stretch
    rise = np.sin(np.clip(age / shape.rise_d, 0, 1) * (math.pi / 2)) ** 2
    after = np.clip(age - shape.rise_d, 0, None)
    band = fid - 1
    fading = np.asarray(shape.decline)[band] * np.minimum(after, shape.knee_d)
    fading = fading + np.asarray(shape.tail)[band] * np.clip(after - shape.knee_d, 0, None)
    colour = np.where(fid == 1, shape.colour, 0.0)
    return np.asarray(rise * flux_of(peak_mag + colour + fading))


def variable(jd: Times, fid: NDArray[np.int64], random: np.random.Generator, mag: float) -> Times:
    """Return the flux of a periodic star less its mean: both signs, larger in g."""
    period = math.exp(random.uniform(math.log(0.2), math.log(60.0)))
    phase = 2 * math.pi * (jd / period + random.random())
    wave = np.sin(phase) + random.uniform(0, 0.5) * np.sin(2 * phase + random.random())
    return np.asarray(flux_of(mag) * random.uniform(0.08, 0.5) * wave * np.where(fid == 1, 1.3, 1.0))


def nucleus(jd: Times, fid: NDArray[np.int64], random: np.random.Generator, mag: float) -> Times:
    """Return the flux of an active nucleus less its mean: slow waves without a period."""
    wave = np.zeros_like(jd)
    for period in (45.0, 110.0, 260.0, 700.0):
        wave += math.sqrt(period / 250.0) * np.sin(
            2 * math.pi * (jd / (period * random.uniform(0.8, 1.2)) + random.random())
        )
    return np.asarray(flux_of(mag) * random.uniform(0.08, 0.25) * wave * np.where(fid == 1, 1.2, 1.0))
