"""The classic first filter for transients: real, round, star-free, away from asteroids and the Galactic plane."""

from collections.abc import Collection, Mapping
from typing import ClassVar

from ampeld.channel.columns import Columns
from ampeld.channel.decentcuts import DecentCuts
from ampeld.channel.filter import Cuts
from ampeld.channel.gaia import COLUMNS, StarRule, stars


class DecentFilter(DecentCuts):
    """AMPEL's DecentFilter: the same parameters, cuts, order and strictness.

    Notes
    -----
    ``max_nbad`` is demanded and never applied, and with the default of ``min_archive_tspan`` an object's very first
    detection, whose archive span is 0, is rejected: both as in AMPEL.
    """

    gaia_rs: float  # radius of the search for Gaia stars [arcsec]; <= 0 does not search
    gaia_pm_signif: float  # proper motion of a star [sigma]
    gaia_plx_signif: float  # parallax of a star [sigma]
    gaia_veto_gmag_min: float  # [mag]
    gaia_veto_gmag_max: float  # [mag]
    gaia_excessnoise_sig_max: float  # [sigma]
    gaia_catalog: str = "gaia"  # the local catalogue's name; its columns are named as in Gaia's archive

    in_families: ClassVar[bool] = True

    def prepare(self) -> None:
        """Put the rule for stars together."""
        super().prepare()
        self._star: StarRule | None = None
        if self.gaia_rs > 0:
            self._star = StarRule(
                pm_signif=self.gaia_pm_signif,
                plx_signif=self.gaia_plx_signif,
                gmag_min=self.gaia_veto_gmag_min,
                gmag_max=self.gaia_veto_gmag_max,
                excessnoise_sig_max=self.gaia_excessnoise_sig_max,
            )

    def catalogs(self) -> Mapping[str, Collection[str]]:
        """Return that Gaia is needed, unless it is not searched."""
        return {} if self._star is None else {self.gaia_catalog: COLUMNS}

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in AMPEL's order."""
        yield from super().cuts(a)
        if self._star is not None:
            yield "gaia_star", stars(a.near(self.gaia_catalog, self.gaia_rs), self._star).count() == 0
