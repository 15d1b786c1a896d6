"""The fit of a supernova model's light curves, as sncosmo makes it."""

import io
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Final, Literal

import msgspec
import numpy as np

from ampeld.feature.body import UNDEFINED
from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_BAND, NO_DETECTION, NO_INPUT, NO_REDSHIFT
from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Dependency, Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.catalogmatch import CatalogSearch
from ampeld.feature.units.fit_sncosmo import bandpass, fit, load_bandpass, load_model, top_hat
from ampeld.feature.units.redshift import Redshift, RedshiftKind, get_redshift

_NO_FIT: Final = {"chisq": -1, "ndof": -1}


class SNCosmoFit(StateUnit):
    """Fit a model of sncosmo at each redshift that is known, or the redshift too; AMPEL's T2RunSncosmo.

    Needs ``ampeld[sncosmo]``, and the model's data in a local directory: nothing is downloaded.

    Parameters
    ----------
    sncosmo_model_name
        As sncosmo's registry names it: ``salt3``, ``hsiao-subsampled`` (which it brings along) …
    sncosmo_bounds
        By parameter of the model: bounds of the fit; of ``z``, if the redshift is to be fitted.
    redshift_kind
        ``AmpelZ``: that of `DigestRedshifts`; ``T2MatchBTS``: that of the Bright Transient Survey.
    catalogs
        What is searched for it, as `CatalogMatch` takes it.
    fixed_z
        Redshifts to use instead.
    scale_z
        A factor on whichever redshifts are used.
    max_redshift_category
        The worst group of `DigestRedshifts` that is accepted, 1 to 7.
    phaseselect_kind
        ``PhaseLimit``: only points in its window are fitted.
    phase_limit
        Its parameters; ``half_time`` has no default.
    apply_mwcorrection
        AMPEL's; only false is possible, since there is no map of the dust here.
    data_dir
        Directory with ``models/`` and ``bandpasses/`` as sncosmo keeps them.
    bandpasses
        By band (``ztfg`` …): where a top hat begins and ends [Angstrom], or a file of two columns, wavelength
        [Angstrom] and transmission. Other bands are sncosmo's own, from ``data_dir``.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2RunSncosmo.

    AMPEL: without a redshift nothing is fitted; here: it is fitted within its bounds. AMPEL: ``jd_model_start`` lacks
    the factor (1 + z); here: t0 + earliest phase * (1 + z). AMPEL: an open window stands as infinities; here: as
    missing values. AMPEL: negative subtractions are fitted as positive; here: with their sign. AMPEL: raises where no
    point is above 3 sigma; here: ``phase_3sigma`` is missing. Galactic extinction is not corrected. Fluxes have zero
    point 25; absolute magnitudes are sncosmo's (WMAP9).
    """

    slow: ClassVar[bool] = True
    values: ClassVar[tuple[Value, ...]] = (
        Value("model_name", "", "the model", "text"),
        Value("z", "", "redshifts that were tried", "list"),
        Value("z_source", "", "where they come from", "text"),
        Value("z_weights", "", "their weights", "list"),
        Value("jdstart", "d", "begin of the window that is fitted"),
        Value("jdend", "d", "end of it"),
        Value("success", "", "false if no fit is good; absent otherwise", "flag"),
        Value("best_z", "", "the redshift with the smallest chi2 per degree, or the fitted one, as a text", "text"),
        Value("sncosmo_result", "", "sncosmo's result there, with paramdict and fit_metrics", "table"),
        Value("result_at_z", "", "by redshift as a text: the result of each good fit", "table"),
    )

    sncosmo_model_name: str
    sncosmo_bounds: dict[str, tuple[float, float]] = {}  # noqa: RUF012  a parameter's default, never written to
    redshift_kind: RedshiftKind | None = None
    catalogs: dict[str, CatalogSearch] = {}  # noqa: RUF012  as above
    fixed_z: float | tuple[float, ...] | None = None
    scale_z: float | None = None
    max_redshift_category: int = 3
    phaseselect_kind: Literal["PhaseLimit", "T2PhaseLimit"] | None = None
    phase_limit: dict[str, Any] = {}  # noqa: RUF012  as above
    apply_mwcorrection: bool = False
    data_dir: str | None = None
    bandpasses: dict[str, tuple[float, float] | str] = {}  # noqa: RUF012  as above

    def prepare(self) -> None:
        """Refuse what cannot be fitted."""
        if missing := [name for name in ("sncosmo", "iminuit") if find_spec(name) is None]:
            raise ValueError(f"{' and '.join(missing)} is not installed: pip install 'ampeld[sncosmo]'")
        if self.redshift_kind is None and self.fixed_z is None and "z" not in self.sncosmo_bounds:
            raise ValueError(
                "sncosmo_bounds: no redshift_kind and no fixed_z: the redshift is fitted and z needs bounds"
            )
        if self.redshift_kind == "T2ElasticcRedshiftSampler":
            raise ValueError("redshift_kind: there is no unit that samples redshifts here; AmpelZ or T2MatchBTS")
        if self.redshift_kind is not None and not self.catalogs:
            raise ValueError(f"catalogs: redshift_kind {self.redshift_kind!r} needs catalogues to search")
        if self.phaseselect_kind is not None and not self.phase_limit:
            raise ValueError("phase_limit: phaseselect_kind is given, so PhaseLimit needs its parameters: half_time")
        if self.apply_mwcorrection:
            raise ValueError("apply_mwcorrection: Galactic extinction cannot be corrected: there is no map of the dust")
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name, (low, high) in self.sncosmo_bounds.items():
            if not low < high:
                raise ValueError(f"sncosmo_bounds: {name} from {low:g} to {high:g} is no range")
        for name, given in self.bandpasses.items():
            if not isinstance(given, str) and not 0 < given[0] < given[1]:
                raise ValueError(f"bandpasses: {name} from {given[0]:g} to {given[1]:g} Angstrom is no range")

    def dependencies(self) -> tuple[Dependency, ...]:
        """Build upon the redshifts and the window, where they are asked for."""
        catalogs = {"catalogs": msgspec.to_builtins(self.catalogs)}
        asked = []
        if self.redshift_kind == "T2MatchBTS":
            asked.append(Dependency("CatalogMatch", catalogs))
        elif self.redshift_kind is not None:
            worst = {"max_redshift_category": self.max_redshift_category}
            asked.append(Dependency("DigestRedshifts", catalogs | worst))
        if self.phaseselect_kind is not None:
            asked.append(Dependency("PhaseLimit", self.phase_limit))
        return tuple(asked)

    def needs(self) -> Iterator[tuple[Literal["catalog", "file", "path"], str]]:
        """Yield the directory of the models, and the files of bandpasses."""
        if self.data_dir is not None:
            yield "path", self.data_dir
        for given in self.bandpasses.values():
            if isinstance(given, str):
                yield "file", given

    def open(self, resources: Resources) -> None:
        """Load the model and the bandpasses.

        Raises
        ------
        ValueError
            It names the parameter: there is no such model, its data are not there, or it has no such parameter.
        """
        self._directory = None if self.data_dir is None else resources.path(self.data_dir)
        self._model = load_model(self.sncosmo_model_name, self._directory)
        for name in self.sncosmo_bounds:
            if name not in self._model.param_names:
                raise ValueError(f"sncosmo_bounds: {self.sncosmo_model_name} has {', '.join(self._model.param_names)}")
        self._bands: dict[str, Any] = {}
        for name, given in self.bandpasses.items():
            hat = not isinstance(given, str)
            self._bands[name] = top_hat(name, *given) if hat else _from_file(name, resources.read(str(given)))

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Fit at each redshift; the best is that with the smallest chi2 per degree of freedom."""
        found = get_redshift(
            inputs,
            kind=self.redshift_kind,
            fixed_z=self.fixed_z,
            scale_z=self.scale_z,
            max_redshift_category=self.max_redshift_category,
        )
        body: dict[str, Any] = {"model_name": self.sncosmo_model_name} | self._told(found)
        if found.z is None and found.source != "Fitted":
            return body
        window, start, end = self._window(inputs[-1] if self.phaseselect_kind is not None else None)
        body |= window
        if start is None or end is None:
            return body
        rows = flux_table(light_curve)
        rows = rows.select((rows.time >= start) & (rows.time <= end))
        try:
            bands = {name: self._band(name) for name in rows.bands}
        except ValueError as error:
            no_band = {"sncosmo_result": Undefined(NO_BAND, str(error))}
            return body | {"success": False, "sncosmo_result": dict(_NO_FIT), UNDEFINED: no_band}
        return body | self._fits(rows, bands, found)

    def _told(self, found: Redshift) -> dict[str, Any]:
        fitted = "it is fitted" if found.source == "Fitted" else "its source has none"
        return {
            "z": Undefined(NO_REDSHIFT, fitted) if found.z is None else list(found.z),
            "z_source": found.source,
            "z_weights": None if found.weights is None else list(found.weights),
        }

    def _window(self, limits: Input) -> tuple[dict[str, Any], float | None, float | None]:
        """Return what is told of the window, and its ends; None for them where a window is wanted and there is none."""
        if self.phaseselect_kind is None:
            open_ended = Undefined(NO_INPUT, "no window is asked for: all points are fitted")
            return {"jdstart": open_ended, "jdend": open_ended}, -np.inf, np.inf
        start, end = ((limits or {}).get(name) for name in ("t_start", "t_end"))
        missing = Undefined(NO_DETECTION, "PhaseLimit gives no window")
        told = {"jdstart": missing if start is None else start, "jdend": missing if end is None else end}
        return told, start, end

    def _fits(self, rows: FluxTable, bands: Mapping[str, Any], found: Redshift) -> dict[str, Any]:
        results: dict[str, dict[str, Any]] = {}
        for z in found.z or (None,):
            result = fit(self._model, rows, bands, z, self.sncosmo_bounds) if len(rows) else None
            if result is not None and result["success"] is True:
                results[str(z)] = result
        good = {z: result for z, result in results.items() if result["ndof"] > 0 and _is_number(result["chisq"])}
        if not good:
            return {"success": False, "sncosmo_result": dict(_NO_FIT)}
        best = min(good, key=lambda z: good[z]["chisq"] / good[z]["ndof"])
        if found.z is None:
            return {"sncosmo_result": good[best], "best_z": str(good[best]["paramdict"]["z"])}
        return {"sncosmo_result": good[best], "best_z": best, "result_at_z": results}

    def _band(self, name: str) -> Any:
        if name not in self._bands:
            self._bands[name] = load_bandpass(name, self._directory)
        return self._bands[name]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _from_file(name: str, data: bytes) -> Any:
    try:
        wave, transmission = np.loadtxt(io.BytesIO(data), unpack=True, ndmin=2)[:2]
        return bandpass(name, wave, transmission)
    except ValueError as error:
        raise ValueError(f"bandpasses: the file of {name} is not two columns of numbers: {error}") from error
