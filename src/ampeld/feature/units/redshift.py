"""Which redshift a fit or an evaluation takes: the digested one, the transient's own, samples, or fixed ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ampeld.feature.unit import Input

RedshiftKind = Literal["AmpelZ", "DigestRedshifts", "T2DigestRedshifts", "T2MatchBTS", "T2ElasticcRedshiftSampler"]
"""Where redshifts come from; the first three are one: the body of DigestRedshifts."""

_DIGESTED = ("AmpelZ", "DigestRedshifts", "T2DigestRedshifts")


class Redshift(msgspec.Struct, frozen=True):
    """Redshifts to try."""

    z: tuple[float, ...] | None
    """None: none is known, or it is to be fitted."""
    source: str | None
    """``AMPELz_group<n>``, ``BTS``, ``Fixed``, ``Fitted`` …; None: the wanted source has none."""
    weights: tuple[float, ...] | None = None
    """One per redshift, where the source gives them."""


def get_redshift(
    inputs: Sequence[Input],
    *,
    kind: RedshiftKind | None = None,
    fixed_z: float | Sequence[float] | None = None,
    scale_z: float | None = None,
    max_redshift_category: int = 3,
) -> Redshift:
    """Return the redshifts that a unit is to try; AMPEL's ``T2DigestRedshifts.get_redshift``.

    Parameters
    ----------
    inputs
        Bodies of units; the first that has what ``kind`` means is taken, the others are passed over.
    kind
        Whose redshift: that of DigestRedshifts, of the Bright Transient Survey (a text ``bts_redshift``, in the body
        or in one of its matches), or of a sampler (``z_samples``, ``z_source``, ``z_weights``).
    fixed_z
        Used when ``kind`` is None; None as well: the redshift is to be fitted.
    scale_z
        Factor on all redshifts, told in the source; None or 0: none.
    max_redshift_category
        Of DigestRedshifts' groups: the worst that is accepted, 1 to 7.

    Notes
    -----
    AMPEL: a whole number as ``fixed_z`` raises, and a text that is no number too; here: it is a number or nothing.
    """
    if kind in _DIGESTED:
        found = _digested(inputs, max_redshift_category)
    elif kind == "T2MatchBTS":
        z = next((float(text) for body in inputs for text in bts_redshifts(body)), None)
        found = Redshift(None, None) if z is None else Redshift((z,), "BTS")
    elif kind == "T2ElasticcRedshiftSampler":
        found = _sampled(inputs)
    elif fixed_z is not None:
        found = Redshift((float(fixed_z),) if isinstance(fixed_z, int | float) else tuple(map(float, fixed_z)), "Fixed")
    else:
        return Redshift(None, "Fitted")
    if found.z is None or not scale_z:
        return found
    return Redshift(tuple(z * scale_z for z in found.z), f"{found.source} + scaled {scale_z}", found.weights)


def bts_redshifts(body: Input) -> list[str]:
    """Return the redshifts of the Bright Transient Survey that a body holds, as written there; ``-`` is none."""
    if body is None:
        return []
    rows = [body, *(row for matches in body.values() for row in rows_of(matches))]
    texts = [str(row["bts_redshift"]).strip() for row in rows if row.get("bts_redshift") is not None]
    return [text for text in texts if number(text) is not None]


def rows_of(matches: Any) -> list[Mapping[str, Any]]:
    """Return the rows of one catalogue in a body of CatalogMatch: none, the nearest, or all."""
    if isinstance(matches, Mapping):
        return [matches]
    return [row for row in matches if isinstance(row, Mapping)] if isinstance(matches, list | tuple) else []


def number(value: Any) -> float | None:
    """Return a catalogue's value as a finite number, a text too; None where it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _digested(inputs: Sequence[Input], max_redshift_category: int) -> Redshift:
    for body in inputs:
        if body is not None and (z := number(body.get("ampel_z"))) is not None:
            group = int(body.get("group_z_nbr", 7))
            if group <= max_redshift_category:
                return Redshift((z,), f"AMPELz_group{group}")
    return Redshift(None, None)


def _sampled(inputs: Sequence[Input]) -> Redshift:
    for body in inputs:
        if body is not None and body.get("z_samples"):
            weights = body.get("z_weights")
            return Redshift(
                tuple(map(float, body["z_samples"])),
                body.get("z_source"),
                None if weights is None else tuple(map(float, weights)),
            )
    return Redshift(None, None)
