"""The best redshift of what catalogues have near a transient, and how far it can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_INPUT, NO_MATCH, NO_REDSHIFT
from ampeld.feature.unit import Dependency, Input, Measured, StateUnit, Undefined, Value
from ampeld.feature.units.catalogmatch import CatalogSearch
from ampeld.feature.units.redshift import RedshiftKind, get_redshift
from ampeld.feature.units.redshift_groups import GROUPS, Estimate, Override, colours_of, estimates_of


class DigestRedshifts(StateUnit):
    """Redshifts of catalogues in seven groups of falling quality, and the best of them; AMPEL's T2DigestRedshifts.

    Parameters
    ----------
    catalogs
        What is searched, as CatalogMatch takes it. Rules are known for the catalogues ``NEDz``, ``NEDz_extcats``,
        ``SDSS_spec``, ``GLADEv23``, ``LSPhotoZZou``, ``wiseScosPhotoz``, ``twoMPZ``, ``PS1_photoz``; for rows with
        ``z_spec``, ``z_phot_median`` (Legacy Survey) or ``bts_redshift`` (Bright Transient Survey) in any; and
        ``WISE`` and ``PS1`` give colours of the host.
    max_redshift_category
        The worst group that is accepted, 1 to 7.
    category_precision
        Typical error of a redshift by group.
    catalogmatch_override
        By catalogue: ``z_keyword``, the column of its redshift; ``max_distance`` (arcsec) and ``max_redshift`` up to
        which it counts; ``z_group``, the group that it belongs to, 1 to 7.
    redshift_kind
        Whose redshift a fit is to try: that of this unit (``AmpelZ``), of the Bright Transient Survey, or samples. With
        this or one of the next two, ``z``, ``z_source`` and ``z_weights`` stand in the body.
    fixed_z
        Redshifts to try where no kind is wanted.
    scale_z
        Factor on the redshifts to try.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2DigestRedshifts.

    AMPEL: ``ampel_z`` and ``ampel_dist`` are plain means over a group, which mixes different galaxies; here: those of
    the nearest galaxy, a redshift of the transient itself before all; the mean is ``ampel_z_mean``, the range of the
    group ``ampel_z_spread``.
    AMPEL: an overridden catalogue adds no distance, so that ``ampel_dist`` is not a number; here: it does.
    AMPEL: a redshift of the Bright Transient Survey raises, or adds another's distances; here: it adds none.
    AMPEL: missing values of some catalogues raise; here: they are passed over.
    """

    values: ClassVar[tuple[Value, ...]] = (
        Value("ampel_z", "", "redshift of the nearest galaxy of the best group that is not empty"),
        Value("group_z_precision", "", "typical error of that group's redshifts"),
        Value("group_z_nbr", "", "number of that group, 1 (best) to 7", "integer"),
        Value("ampel_dist", "arcsec", "distance of that galaxy from the transient"),
        Value("ampel_z_spread", "", "highest less lowest redshift of that group"),
        Value("ampel_z_mean", "", "mean redshift of that group, AMPEL's own ampel_z"),
        Value("group_zs", "", "redshifts found, a list for each group", "list"),
        Value("group_dists", "arcsec", "distances of their galaxies, a list for each group", "list"),
        Value("col_wise_w1w2", "mag", "colour W1 - W2 of the source in WISE within 3 arcsec (Vega)"),
        Value("col_ps1_gr", "mag", "colour g - r of the source in Pan-STARRS within 10 arcsec (AB, PSF)"),
        Value("col_ps1_ri", "mag", "colour r - i of it"),
        Value("col_ps1_iz", "mag", "colour i - z of it"),
        Value("AmpelZ-Warning", "", "says that catalogues are overridden", "text"),
        Value("z", "", "redshifts to try, where redshift_kind, fixed_z or scale_z is given", "list"),
        Value("z_source", "", "where they come from", "text"),
        Value("z_weights", "", "their weights", "list"),
    )

    catalogs: dict[str, CatalogSearch] = {}  # noqa: RUF012  a parameter's default, never written to
    max_redshift_category: int = 3
    category_precision: tuple[float, ...] = (0.0003, 0.003, 0.01, 0.02, 0.04, 0.1, 0.3)
    catalogmatch_override: dict[str, Override] | None = None
    redshift_kind: RedshiftKind | None = None
    fixed_z: float | tuple[float, ...] | None = None
    scale_z: float | None = None

    def prepare(self) -> None:
        """Look at the groups."""
        if not 1 <= self.max_redshift_category <= GROUPS:
            raise ValueError(f"max_redshift_category: {self.max_redshift_category}: 1 to {GROUPS}")
        if len(self.category_precision) != GROUPS:
            raise ValueError(f"category_precision: {len(self.category_precision)} numbers: one for each of 7 groups")
        for name, override in (self.catalogmatch_override or {}).items():
            if not 1 <= override.z_group <= GROUPS:
                raise ValueError(f"catalogmatch_override: the z_group of {name} is {override.z_group}: 1 to {GROUPS}")

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return the search, at the first detection of the state."""
        return (Dependency("CatalogMatch", {"catalogs": msgspec.to_builtins(self.catalogs)}, "first"),)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:  # noqa: ARG002  it is of the sky alone
        """Return the redshifts by group and the best of them."""
        bodies = [body for body in inputs if body is not None]
        if not bodies:
            return Undefined(NO_INPUT, "no catalogue has been searched")
        groups: list[list[Estimate]] = [[] for _ in range(GROUPS)]
        result: dict[str, Any] = {}
        for body in bodies:
            result |= colours_of(body)
            for estimate in estimates_of(body, self.catalogmatch_override or {}):
                groups[estimate.group - 1].append(estimate)
        result["group_zs"] = [[one.z for one in group] for group in groups]
        result["group_dists"] = [[one.dist for one in group if one.dist is not None] for group in groups]
        result |= self._best(groups)
        if self.catalogmatch_override:
            result["AmpelZ-Warning"] = "Override catalog in use."
        if self.redshift_kind is not None or self.fixed_z is not None or self.scale_z is not None:
            result |= self._to_try([result, *bodies])
        return result

    def _best(self, groups: Sequence[Sequence[Estimate]]) -> dict[str, Any]:
        accepted = [number for number in range(self.max_redshift_category) if groups[number]]
        if not accepted:
            why = Undefined(NO_REDSHIFT, f"none in groups 1 to {self.max_redshift_category}")
            return {"undefined": {"ampel_z": why, "ampel_dist": why}}
        group = groups[accepted[0]]
        best = min(group, key=_nearness)
        zs = [one.z for one in group]
        told = Undefined(NO_MATCH, "the redshift comes without a galaxy's distance")
        return {
            "ampel_z": best.z,
            "group_z_precision": self.category_precision[accepted[0]],
            "group_z_nbr": accepted[0] + 1,
            "ampel_dist": told if best.dist is None else best.dist,
            "ampel_z_spread": max(zs) - min(zs),
            "ampel_z_mean": sum(zs) / len(zs),
        }

    def _to_try(self, bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        found = get_redshift(
            bodies,
            kind=self.redshift_kind,
            fixed_z=self.fixed_z,
            scale_z=self.scale_z,
            max_redshift_category=self.max_redshift_category,
        )
        return {
            "z": Undefined(NO_REDSHIFT, found.source or "") if found.z is None else list(found.z),
            "z_source": found.source,
            "z_weights": None if found.weights is None else list(found.weights),
        }


def _nearness(estimate: Estimate) -> float:
    if estimate.own:
        return -1.0
    return float("inf") if estimate.dist is None else estimate.dist
