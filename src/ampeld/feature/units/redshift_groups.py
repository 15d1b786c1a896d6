"""How well a catalogue's redshift can be trusted: the seven groups of AMPEL's study, a rule for each catalogue."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from ampeld.feature.units.redshift import bts_redshifts, number, rows_of

GROUPS: Final = 7
"""1 is a nearby galaxy with a spectrum, 7 any photometric estimate."""


class Estimate(NamedTuple):
    """A redshift."""

    group: int
    z: float
    dist: float | None
    """Of the galaxy from the transient [arcsec]; None where the source tells none."""
    own: bool = False
    """Whether it was measured of the transient itself."""


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to make of a catalogue of one's own."""

    z_keyword: str
    """The column of its redshift."""
    max_distance: float
    """[arcsec]"""
    max_redshift: float
    z_group: int
    """1 to 7."""


Row = Mapping[str, Any]
Placed = Iterator[tuple[int, float]]
"""Group and redshift."""
Rule = Callable[[Row, float], Placed]


def estimates_of(body: Mapping[str, Any], overrides: Mapping[str, Override]) -> Iterator[Estimate]:
    """Yield every redshift that a body of CatalogMatch holds, in the order of its catalogues.

    Rows with ``z_spec`` or ``z_phot_median`` are the Legacy Survey's, whatever the catalogue is called; those with
    ``bts_redshift`` the Bright Transient Survey's.
    """
    for text in bts_redshifts(body):
        # more digits than two are a host's spectrum, two those of a comparison with templates of supernovae
        digits = len(text.partition(".")[2].lstrip("0"))
        yield Estimate(1 if digits > 2 else 2, float(text), None, own=True)
    for name, matches in body.items():
        for row in rows_of(matches):
            dist = number(row.get("dist2transient"))
            far = float("inf") if dist is None else dist
            rule = _RULES.get(name, _legacy)
            for group, z in rule(row, far):
                yield Estimate(group, z, dist)
            if (override := overrides.get(name)) is not None:
                z_own = number(row.get(override.z_keyword))
                if z_own is not None and far < override.max_distance and z_own < override.max_redshift:
                    yield Estimate(override.z_group, z_own, dist)


def _step(z: float, limits: tuple[float, ...], groups: tuple[int, ...]) -> int:
    return groups[sum(z >= limit for limit in limits)]


_PHOTOMETRIC: Final = ((0.1, 0.2, 0.4), (4, 5, 6, 7))


def _legacy(row: Row, dist: float) -> Placed:
    if dist > 10:
        return
    if (z := number(row.get("z_spec"))) is not None and z > -1:
        yield _step(z, (0.03, 0.15, 0.4), (1, 2, 3, 5)), z
    if (z := number(row.get("z_phot_median"))) is not None and z > -1:
        yield _step(z, *_PHOTOMETRIC), z


def _ned_extcats(row: Row, dist: float) -> Placed:
    if (z := number(row.get("z"))) is not None:
        near = dist < 20 and z < 0.05
        yield 1 if dist < 2 and z < 0.03 else 3 if near else 4, z


def _sdss_spec(row: Row, dist: float) -> Placed:
    if (z := number(row.get("z"))) is not None and dist < 10:
        yield 2, z


def _ned(row: Row, dist: float) -> Placed:
    if (z := number(row.get("z"))) is not None and dist < 10 and z < 0.4:
        yield 3, z


def _glade(row: Row, dist: float) -> Placed:
    if (z := number(row.get("z"))) is not None and dist < 10:
        yield 3 if z < 0.05 else 4, z


def _ls_zou(row: Row, dist: float) -> Placed:
    if (z := number(row.get("specz"))) is not None and z > -0.1:
        yield 2 if z < 0.15 and dist < 10 else 3 if z < 0.2 else 5, z
    if (z := number(row.get("photoz"))) is not None and z > -0.1:
        yield _step(z, *_PHOTOMETRIC), z


def _wise_scos(row: Row, _: float) -> Placed:
    if (z := number(row.get("zPhoto_Corr"))) is not None and z > -0.1:
        yield 5 if z < 0.2 else 6, z


def _two_mpz(row: Row, _: float) -> Placed:
    if (z := number(row.get("zPhoto"))) is not None and z > -0.1:
        yield 3 if z < 0.03 else 4, z
    if (z := number(row.get("zSpec"))) is not None and z > -0.1:
        yield 2, z


def _ps1(row: Row, _: float) -> Placed:
    # the catalogue has thousandths
    if (z := number(row.get("z_phot"))) is not None and z / 1000 > -0.1:
        yield _step(z / 1000, *_PHOTOMETRIC), z / 1000


_RULES: Final[Mapping[str, Rule]] = {
    "NEDz_extcats": _ned_extcats,
    "SDSS_spec": _sdss_spec,
    "NEDz": _ned,
    "GLADEv23": _glade,
    "LSPhotoZZou": _ls_zou,
    "wiseScosPhotoz": _wise_scos,
    "twoMPZ": _two_mpz,
    "PS1_photoz": _ps1,
}


def colours_of(body: Mapping[str, Any]) -> dict[str, float]:
    """Return the colours of the host: WISE within 3 arcsec, Pan-STARRS within 10; of several matches the last."""
    colours = {}
    for row in rows_of(body.get("WISE")):
        w1, w2 = number(row.get("Mag_W1")), number(row.get("Mag_W2"))
        if _within(row, 3.0) and w1 is not None and w2 is not None:
            colours["col_wise_w1w2"] = w1 - w2
    for row in rows_of(body.get("PS1")):
        if not _within(row, 10.0):
            continue
        mags = {band: number(row.get(f"{band}PSFMag")) for band in "griz"}
        for blue, red in ("gr", "ri", "iz"):
            one, other = mags[blue], mags[red]
            if one is not None and other is not None and one > 0 and other > 0:
                colours[f"col_ps1_{blue}{red}"] = one - other
    return colours


def _within(row: Row, radius: float) -> bool:
    dist = number(row.get("dist2transient"))
    return dist is not None and dist < radius
