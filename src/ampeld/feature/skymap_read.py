"""Sky maps from FITS: multi-order ones by their UNIQ column, flat ones in either order, whole or in part."""

import gzip
import io
import math
import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ampeld.feature.light_curve import Floats
from ampeld.feature.skymap import SkyMap

_PROBABILITY: Final = ("PROB", "PROBABILITY", "PROBDENSITY", "T", "SIGNAL", "I_STOKES", "TEMPERATURE")
_NUMBER: Final = ("PIXEL", "PIX", "IPIX", "HPXINDEX")
_LAYERS: Final = ("DISTMU", "DISTSIGMA", "DISTNORM")
_GZIP: Final = b"\x1f\x8b"

Columns = Mapping[str, NDArray[Any]]


def read_skymap(data: bytes) -> SkyMap:
    """Return the map of a FITS file, gzipped or not.

    Parameters
    ----------
    data
        The file's bytes.

    Raises
    ------
    ValueError
        If it is no such file, or holds no map of a probability.
    """
    columns, header = _table(data)
    if "UNIQ" in columns:
        return _multi_order(columns, header)
    return _flat(columns, header)


def _table(data: bytes) -> tuple[Columns, dict[str, Any]]:
    from astropy.io import fits  # noqa: PLC0415  imported by those who have a map

    try:
        raw = gzip.decompress(data) if data.startswith(_GZIP) else data
        with warnings.catch_warnings():
            # of what headers of maps do not do by the book nothing is needed
            warnings.simplefilter("ignore")
            with fits.open(io.BytesIO(raw), memmap=False) as found:
                table = next((hdu for hdu in found if isinstance(hdu, fits.BinTableHDU)), None)
                if table is None:
                    raise ValueError("it has no table")
                # views of one array, each converted when its turn comes: flat maps have millions of rows
                columns = {name.upper(): np.asarray(table.data[name]) for name in table.columns.names}
                return columns, dict(table.header)
    except (OSError, EOFError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"it cannot be read as FITS: {error}") from error


def _multi_order(columns: Columns, header: Mapping[str, Any]) -> SkyMap:
    from astropy_healpix import uniq_to_level_ipix  # noqa: PLC0415  as above

    if "PROBDENSITY" not in columns:
        raise ValueError("its table has UNIQ and no PROBDENSITY")
    uniq = columns["UNIQ"].astype(np.int64).ravel()
    if len(uniq) == 0 or uniq.min() < 4:
        raise ValueError("its UNIQ column names no cells")
    order, number = (np.asarray(part, dtype=np.int64) for part in uniq_to_level_ipix(uniq))
    prob = _clean(columns["PROBDENSITY"]) * (math.pi / 3) * 0.25**order
    return SkyMap(prob, number, order, layers=_layers(columns), header=header)


def _flat(columns: Columns, header: Mapping[str, Any]) -> SkyMap:
    name = next((name for name in _PROBABILITY if name in columns), None)
    if name is None:
        raise ValueError(f"its table has none of the columns {', '.join(_PROBABILITY)}")
    kind = str(header.get("ORDERING", "RING")).upper()
    if kind not in ("RING", "NESTED", "NEST"):
        raise ValueError(f"its ORDERING is {kind!r}: neither RING nor NESTED, and it has no UNIQ column")
    prob, layers = _clean(columns[name]), _layers(columns)
    index = next((columns[key] for key in _NUMBER if key in columns), None)
    number = np.arange(len(prob)) if index is None else index.astype(np.int64).ravel()
    cells = 12 * int(header["NSIDE"]) ** 2 if "NSIDE" in header else len(prob)
    order = round(math.log2(max(cells, 1) / 12) / 2)
    if cells != 12 << 2 * order or (len(number) and not 0 <= number.min() <= number.max() < cells):
        raise ValueError(f"{cells} cells are no whole sky of HEALPix, or a cell lies outside of it")
    if name == "PROBDENSITY":
        prob = prob * (4 * math.pi / cells)
    if kind == "RING":
        from astropy_healpix.healpy import ring2nest  # noqa: PLC0415  as above

        number = np.asarray(ring2nest(1 << order, number), dtype=np.int64)
    if index is not None or len(number) < cells:
        return SkyMap(prob, number, np.full(len(number), order), layers=layers, header=header)
    if np.any(number[1:] < number[:-1]):
        rank = np.argsort(number, kind="stable")
        prob, layers = prob[rank], {key: column[rank] for key, column in layers.items()}
    return SkyMap(prob, layers=layers, header=header)


def _layers(columns: Columns) -> dict[str, Floats]:
    return {name: columns[name].astype(np.float64).ravel() for name in _LAYERS if name in columns}


def _clean(column: NDArray[Any]) -> Floats:
    """Return probabilities; what is not known (NaN, UNSEEN) has none."""
    values = column.astype(np.float64).ravel()
    values[~np.isfinite(values) | (values < 0)] = 0.0
    return values
