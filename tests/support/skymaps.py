"""Sky maps as FITS files, made for one test."""

import gzip
import io

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy_healpix import level_ipix_to_uniq
from astropy_healpix.healpy import nest2ring


def golden_prob(side=4):
    """Return the probabilities of the golden map: p_i = (i + 1) / 18528 in pixel i, nested."""
    prob = np.arange(1, 12 * side**2 + 1, dtype=np.float64)
    return prob / prob.sum()


def flat(prob, *, ordering="NESTED", layers=None, packed=False, **header):
    """Return a map of one order; ``prob`` and ``layers`` are in nested order whatever is written."""
    layers = layers or {}
    names = ["PROB", *layers]
    columns = [np.asarray(prob, dtype=np.float64), *(np.asarray(layer, dtype=np.float64) for layer in layers.values())]
    side = round((len(columns[0]) / 12) ** 0.5)
    if ordering == "RING":
        ring = nest2ring(side, np.arange(len(columns[0])))
        columns = [in_order(column, ring) for column in columns]
    if packed:
        columns = [column.reshape(-1, 4) for column in columns]
    return written(Table(columns, names=names), {"ORDERING": ordering, "NSIDE": side, "PIXTYPE": "HEALPIX", **header})


def in_order(column, places):
    """Return a column with each value at its new place."""
    moved = np.empty_like(column)
    moved[places] = column
    return moved


def partial(prob, kept, **header):
    """Return a map of one order with some of its pixels alone."""
    side = round((len(prob) / 12) ** 0.5)
    table = Table([np.flatnonzero(kept), np.asarray(prob)[kept]], names=["PIXEL", "PROB"])
    return written(table, {"ORDERING": "NESTED", "NSIDE": side, "INDXSCHM": "EXPLICIT", **header})


def multi_order(cells, *, layers=None, **header):
    """Return a map of (order, number, probability) of each cell."""
    order, number, prob = (np.array(column) for column in zip(*cells, strict=True))
    density = prob / (np.pi / 3 * 0.25**order)
    columns = {"UNIQ": level_ipix_to_uniq(order, number), "PROBDENSITY": density, **(layers or {})}
    return written(Table(columns), {"ORDERING": "NUNIQ", "MOCORDER": int(order.max()), **header})


def split(prob, pixels):
    """Return (order, number, probability) of a nested map of 4 pixels a side, some of them cut into four."""
    cells = []
    for number, one in enumerate(prob):
        if number in pixels:
            cells += [(3, 4 * number + part, one / 4) for part in range(4)]
        else:
            cells.append((2, number, one))
    return cells


def written(table, header):
    """Return the bytes of a FITS file."""
    hdu = fits.BinTableHDU(table)
    hdu.header.update(header)
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    return file.getvalue()


def zipped(data):
    """Return the bytes, gzipped."""
    return gzip.compress(data, 1)
