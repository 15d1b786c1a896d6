"""Cutout images: gzipped FITS of 63 x 63 pixels, made once and shared by many alerts."""

import gzip
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ampeld.demo.shapes import SUPERNOVAE, Kind

SIDE = 63
VARIANTS = 16
"""How many sets of images there are of each sort."""

Image = NDArray[np.float64]
_USUAL_BITS = (10, 18, 11)
"""Binary digits behind the point that the science, template and difference images keep."""
_BITS = {"asteroid": (13, 18, 13), "bogus": (11, 18, 11)}  # their packets have hardly a history
_FITS_BLOCK = 2880


def fits(image: Image) -> bytes:
    """Return an image as a FITS file of 32-bit floats."""
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2"]
    cards += [f"NAXIS1  = {image.shape[1]:>20}", f"NAXIS2  = {image.shape[0]:>20}", "BUNIT   = 'DN      '", "END"]
    header = "".join(card.ljust(80) for card in cards).encode()
    data = image.astype(">f4").tobytes()
    return _padded(header, b" ") + _padded(data, b"\0")


def stamps_of(kind: Kind, *, positive: bool, variant: int) -> tuple[bytes, bytes, bytes]:
    """Return the gzipped science, template and difference images of such an object.

    Parameters
    ----------
    kind
        What the object is.
    positive
        Whether it is brighter than in the template.
    variant
        Any number; modulo `VARIANTS` it chooses the set.
    """
    sort = "host" if kind in SUPERNOVAE else kind
    return _stamps(sort, positive, variant % VARIANTS)


@cache
def _stamps(sort: str, positive: bool, variant: int) -> tuple[bytes, bytes, bytes]:
    random = np.random.default_rng([63, *sort.encode(), positive, variant])
    seeing = random.uniform(0.8, 1.3)
    brightness = random.uniform(150, 900)
    sign = 1.0 if positive else -1.0
    source = brightness * _spot(0, 0, seeing)
    template = _background(sort, random, seeing)
    if sort == "bogus":
        source = _defect(random, brightness)
    science = 160 + template + sign * source + random.normal(0, 8.0, (SIDE, SIDE))
    difference = sign * source + random.normal(0, 9.0, (SIDE, SIDE))
    reference = 0.2 + template / 40 + random.normal(0, 0.06, (SIDE, SIDE))
    images = (science, reference, difference)
    return tuple(_packed(image, bits) for image, bits in zip(images, _BITS.get(sort, _USUAL_BITS), strict=True))  # type: ignore[return-value]


def _background(sort: str, random: np.random.Generator, seeing: float) -> Image:
    stars = np.zeros((SIDE, SIDE))
    for _ in range(int(random.integers(0, 5))):
        x, y = random.uniform(-31, 31, 2)
        stars += random.uniform(100, 3000) * _spot(x, y, seeing)
    if sort in ("variable", "agn"):
        stars += random.uniform(1500, 6000) * _spot(0, 0, seeing)
    if sort == "host":
        x, y = random.uniform(-5, 5, 2)
        stars += random.uniform(200, 900) * _galaxy(x, y, random)
    return stars


def _spot(x: float, y: float, width: float) -> Image:
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    return np.asarray(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2)))


def _galaxy(x: float, y: float, random: np.random.Generator) -> Image:
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    angle, flattening, scale = random.uniform(0, np.pi), random.uniform(0.4, 1.0), random.uniform(2.0, 5.0)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    return np.asarray(np.exp(-np.hypot(along, across / flattening) / scale))


def _defect(random: np.random.Generator, brightness: float) -> Image:
    """Return a bad subtraction: light shifted by a pixel, or the trace of a cosmic ray."""
    if random.random() < 0.5:
        x, y = random.uniform(0.6, 1.5, 2)
        return 3 * brightness * (_spot(0, 0, 1.1) - _spot(x, y, 1.1))
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    slope = random.uniform(-2, 2)
    return np.where((np.abs(rows - slope * columns) < 0.8) & (np.abs(columns) < 6), brightness, 0.0)


def _packed(image: Image, bits: int) -> bytes:
    step = 1 << bits
    quantized = np.round(image * step) / step  # the size of a real stamp, which keeps fewer bits than 24
    return gzip.compress(fits(quantized), 6, mtime=0)


def _padded(content: bytes, fill: bytes) -> bytes:
    return content + fill * (-len(content) % _FITS_BLOCK)
