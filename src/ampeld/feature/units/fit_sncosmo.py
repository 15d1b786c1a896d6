"""The edge to sncosmo: models and bandpasses from local data alone, one fit, and what is told of it."""

import copy
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from ampeld.feature.light_curve import Floats
from ampeld.feature.reasons import NO_DETECTION, NOT_FINITE
from ampeld.feature.tables import FluxTable
from ampeld.feature.unit import Undefined

_DETECTION_SIGMA: Final = 3.0
_NEAR_PEAK_D: Final = (-10.0, 20.0)
_STEP_AA: Final = 10.0


class LocalData:
    """Stands in for sncosmo's mirror: files of one directory, and never a download.

    Parameters
    ----------
    directory
        As sncosmo's own ``data_dir``, with ``models/`` and ``bandpasses/``; None: there is none.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def abspath(self, relpath: str, *, isdir: bool = False) -> str:  # noqa: ARG002  as sncosmo calls it
        """Return where a file or directory lies.

        Raises
        ------
        ValueError
            If it is not there.
        """
        if self._directory is None:
            raise ValueError(f"data_dir: sncosmo wants {relpath!r}, and no directory is given; nothing is downloaded")
        path = os.path.join(self._directory, relpath)  # noqa: PTH118  sncosmo wants a text
        if not os.path.exists(path):  # noqa: PTH110  as above
            raise ValueError(f"data_dir: {path!r} is not there; sncosmo wants it and nothing is downloaded")
        return path


@contextmanager
def local_data(directory: str | None) -> Iterator[None]:
    """Let sncosmo read from a directory for a while."""
    from sncosmo import builtins  # noqa: PLC0415  seconds that only this unit pays

    before = builtins.DATADIR
    builtins.DATADIR = LocalData(directory)
    try:
        yield
    finally:
        builtins.DATADIR = before


def load_model(name: str, directory: str | None) -> Any:
    """Return a model of sncosmo's own.

    Raises
    ------
    ValueError
        It names the parameter: there is no such model, or its data are not there.
    """
    import sncosmo  # noqa: PLC0415  as above

    with local_data(directory), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return sncosmo.Model(source=name)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"sncosmo_model_name: sncosmo cannot make {name!r}: {error}") from error


def load_bandpass(name: str, directory: str | None) -> Any:
    """Return a bandpass of sncosmo's own; ValueError as `load_model`."""
    import sncosmo  # noqa: PLC0415  as above

    with local_data(directory):
        try:
            return sncosmo.get_bandpass(name)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"bandpasses: sncosmo has no {name!r}: {error}") from error


def top_hat(name: str, low: float, high: float) -> Any:
    """Return a bandpass of transmission 1 from one wavelength to another [Angstrom], and 0 beyond."""
    wave = np.arange(low - _STEP_AA, high + 1.5 * _STEP_AA, _STEP_AA)
    return bandpass(name, wave, np.where((wave >= low) & (wave <= high), 1.0, 0.0))


def bandpass(name: str, wave_aa: Floats, transmission: Floats) -> Any:
    """Return a bandpass from its transmission at wavelengths [Angstrom]."""
    import sncosmo  # noqa: PLC0415  as above

    return sncosmo.Bandpass(wave_aa, transmission, name=name)


def fit(
    model: Any, rows: FluxTable, bands: Mapping[str, Any], z: float | None, bounds: Mapping[str, Sequence[float]]
) -> dict[str, Any] | None:
    """Return AMPEL's ``sncosmo_result``, or None where sncosmo refuses.

    Parameters
    ----------
    model
        Of sncosmo; it is not changed.
    rows
        What is fitted.
    bands
        By name: the bandpass.
    z
        The redshift; None: it is fitted within its bounds.
    bounds
        By parameter.
    """
    import sncosmo  # noqa: PLC0415  as above
    from sncosmo.fitting import DataQualityError  # noqa: PLC0415  as above

    started = copy.copy(model)
    free = [name for name in started.param_names if z is None or name != "z"]
    if z is not None:
        started.set(z=z)
    data = {
        "time": rows.time,
        "band": [bands[name] for name in rows.band.tolist()],
        "flux": rows.flux,
        "fluxerr": rows.fluxerr,
        "zp": np.full(len(rows), rows.zp),
        "zpsys": ["ab"] * len(rows),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sncosmo warns of dropped bands and of steps outside of the model
        limits = {name: tuple(limit) for name, limit in bounds.items() if name in free}
        try:
            result, fitted = sncosmo.fit_lc(data, started, free, bounds=limits, warn=False)
        except (ValueError, RuntimeError, IndexError, DataQualityError):
            return None
        told = dict(result.items()) | {"fit_metrics": _metrics(fitted, rows, bands)}
    told["covariance"] = [] if told.get("covariance") is None else told["covariance"]
    told["errors"] = dict(told.get("errors") or {})
    told["paramdict"] = dict(zip(told["param_names"], np.asarray(told["parameters"]).tolist(), strict=True))
    plain: dict[str, Any] = finite(told)
    return plain


def _metrics(model: Any, rows: FluxTable, bands: Mapping[str, Any]) -> dict[str, Any]:
    z, t0 = float(model.get("z")), float(model.get("t0"))
    phase = (rows.time - t0) / (1 + z)
    detected = phase[rows.flux / rows.fluxerr > _DETECTION_SIGMA]
    told: dict[str, Any] = {
        "restpeak_model_absmag_B": _if_covered(lambda: model.source_peakabsmag("bessellb", "ab")),
        "obspeak_model_B": _if_covered(lambda: model.bandmag("bessellb", "ab", t0)),
        "phase_3sigma": float(detected.min()) if len(detected) else Undefined(NO_DETECTION, "above 3 sigma"),
        "jd_model_start": t0 + float(model.source.minphase()) * (1 + z),
    }
    pulls: list[float] = []
    near = (phase >= _NEAR_PEAK_D[0]) & (phase <= _NEAR_PEAK_D[1])
    for name, part in rows.select(near).by_band():
        try:
            expected = model.bandflux(bands[name], part.time, zp=rows.zp, zpsys="ab")
        except ValueError:
            told["pull_retrieval_error"] = True
        else:
            pulls += ((part.flux - expected) / part.fluxerr).tolist()
    told["nbr_peak_pulls"] = len(pulls)
    told["absmean_peak_pull"] = float(np.mean(np.abs(pulls))) if pulls else Undefined(NO_DETECTION, "near the peak")
    return told


def _if_covered(magnitude: Callable[[], Any]) -> float | Undefined:
    try:
        return float(magnitude())
    except ValueError:
        return Undefined(NOT_FINITE, "the model does not cover B")


def finite(value: Any) -> Any:
    """Return a value in plain types, with an `Undefined` for every number that is not finite."""
    if isinstance(value, np.ndarray | np.generic):
        return finite(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return Undefined(NOT_FINITE)
    return value
