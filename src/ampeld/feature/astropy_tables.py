"""Light curves as astropy's tables and time series, for whoever goes on with them in a notebook or in a fit."""

from typing import TYPE_CHECKING, Final

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.tables import FluxTable

if TYPE_CHECKING:
    from astropy.table import Table
    from astropy.timeseries import TimeSeries

# astropy takes a second to import, and no daemon needs these.

_MEASURED: Final = {
    "mag": ("mag", "difference magnitude, AB"),
    "mag_err": ("mag", "error of mag"),
    "flux": ("nJy", "difference flux with its sign"),
    "flux_err": ("nJy", "error of flux; for a limit that of the background"),
    "limit": ("mag", "5 sigma limit of the image, AB"),
    "reliability": ("", "how surely the detection is real, 0 to 1"),
    "ra": ("deg", "right ascension"),
    "dec": ("deg", "declination"),
}


def to_table(curve: LightCurve) -> "Table":
    """Return a light curve as a table, one row by point in the order of time; what is missing is masked.

    Columns: ``id``, ``jd`` [d, UTC], ``band``, ``mag`` and ``limit`` [mag AB], ``flux`` [nJy], their errors,
    ``reliability``, ``ra``, ``dec`` [deg], the flags ``detection`` and ``forced``; ``meta["survey"]`` names the survey.
    """
    from astropy.table import Column, MaskedColumn, Table  # noqa: PLC0415  slow to import

    table = Table(meta={"survey": curve.survey})
    table["id"] = Column(curve.id, description="the point's number")
    table["jd"] = Column(curve.jd, unit="d", description="Julian date, UTC")
    table["band"] = Column(curve.band.astype(str))
    for name, (unit, description) in _MEASURED.items():
        values = curve.column(name) if name in ("ra", "dec") else getattr(curve, name)
        table[name] = MaskedColumn(values, mask=np.isnan(values), unit=unit or None, description=description)
    table["detection"] = Column(curve.is_detection)
    table["forced"] = Column(curve.forced)
    return table


def to_time_series(curve: LightCurve) -> "TimeSeries":
    """Return a light curve as a time series: the columns of `to_table` as quantities, behind ``time`` [UTC].

    What is missing is NaN: astropy's quantities have no masks that its periodograms take.
    """
    from astropy.table import QTable  # noqa: PLC0415  slow to import
    from astropy.time import Time  # noqa: PLC0415
    from astropy.timeseries import TimeSeries  # noqa: PLC0415

    table = to_table(curve)
    table.remove_column("jd")
    return TimeSeries(time=Time(curve.jd, format="jd", scale="utc"), data=QTable(table.filled(np.nan)))


def to_flux_table(table: FluxTable) -> "Table":
    """Return a flux table as fits read it: ``time`` [JD], ``band``, ``flux``, ``fluxerr``, ``zp``, ``zpsys`` (``ab``).

    sncosmo takes it as it is, where it knows the bands.
    """
    from astropy.table import Table  # noqa: PLC0415  slow to import

    return Table(
        {
            "time": table.time,
            "band": table.band.astype(str),
            "flux": table.flux,
            "fluxerr": table.fluxerr,
            "zp": np.full(len(table), table.zp),
            "zpsys": np.full(len(table), "ab"),
        }
    )
