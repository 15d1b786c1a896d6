"""Distances of Planck15, as AMPEL takes them, each redshift's computed once."""

from functools import lru_cache
from typing import Final

MOST_REDSHIFT: Final = 1100.0
"""That of the oldest light: a catalogue's number above it is none."""
_MOST = 4096  # redshifts kept; a call costs some hundred microseconds


@lru_cache(_MOST)
def distance_modulus(redshift: float) -> float:
    """Return the distance modulus [mag]; ``redshift`` > 0."""
    from astropy.cosmology import Planck15  # noqa: PLC0415  half a second that units without redshifts need not pay

    return float(Planck15.distmod(redshift).value)


@lru_cache(_MOST)
def luminosity_distance(redshift: float) -> float:
    """Return the luminosity distance [Mpc]; ``redshift`` >= 0."""
    from astropy.cosmology import Planck15  # noqa: PLC0415  as above

    return float(Planck15.luminosity_distance(redshift).value)


@lru_cache(_MOST)
def _kpc_per_arcmin(redshift: float) -> float:
    from astropy.cosmology import Planck15  # noqa: PLC0415  as above

    return float(Planck15.kpc_proper_per_arcmin(redshift).value)


def projected_distance(redshift: float, separation_arcsec: float) -> float:
    """Return the proper distance [kpc] that a separation on the sky is at a redshift >= 0."""
    return separation_arcsec * _kpc_per_arcmin(redshift) / 60.0


def load_cosmology() -> None:
    """Pay for the import now: it takes longer than a measurement may."""
    distance_modulus(1.0)
