"""Which sources of Gaia are stars of our Galaxy: they move, or have a parallax, and are bright enough to reach here."""

from typing import Final

import msgspec
import numpy as np

from ampeld.channel.matches import Matches
from ampeld.channel.ragged import RaggedCondition

COLUMNS: Final = (
    "phot_g_mean_mag",
    "astrometric_excess_noise_sig",
    "pmra",
    "pmra_error",
    "pmdec",
    "pmdec_error",
    "parallax",
    "parallax_error",
)
"""What is looked at, by its name in Gaia's archive since DR2."""


class StarRule(msgspec.Struct, frozen=True):
    """What makes a source a star."""

    pm_signif: float
    """Its proper motion in right ascension or declination is above this [sigma] ..."""
    plx_signif: float
    """... or its parallax is [sigma]."""
    gmag_min: float
    """G magnitude, inclusive [mag]."""
    gmag_max: float
    """G magnitude, inclusive [mag]."""
    excessnoise_sig_max: float
    """Significance of the astrometric excess noise, exclusive [sigma]: a galaxy's core has more."""


def stars(near: Matches, rule: StarRule) -> RaggedCondition:
    """Return which of the sources near each alert are stars that the alert may come from.

    A source that lacks a value is none for what the value would say: count the true ones, and do not negate ``any()``.

    Notes
    -----
    AMPEL's ``is_star_in_gaia``, with its radius in which a star of magnitude G disturbs,
    1.8 + 0.6 exp((20 - G) / 2.05) arcsec.
    """
    g = near.phot_g_mean_mag
    reach = 1.8 + 0.6 * np.exp((20.0 - g) / 2.05)
    moves = (abs(near.pmra / near.pmra_error) > rule.pm_signif) | (abs(near.pmdec / near.pmdec_error) > rule.pm_signif)
    in_galaxy = moves | (abs(near.parallax / near.parallax_error) > rule.plx_signif)
    quiet = near.astrometric_excess_noise_sig < rule.excessnoise_sig_max
    return (near.distance < reach) & g.between(rule.gmag_min, rule.gmag_max) & quiet & in_galaxy
