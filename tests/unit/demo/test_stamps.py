"""Cutouts are FITS images that astropy reads, with the object in the middle."""

import gzip
import io

import numpy as np
import pytest
from astropy.io import fits

from ampeld.demo.stamps import SIDE, stamps_of


def images(kind, **options):
    for content in stamps_of(kind, **options):
        with fits.open(io.BytesIO(gzip.decompress(content))) as opened:
            yield np.array(opened[0].data)


@pytest.mark.parametrize("kind", ["asteroid", "variable", "agn", "bogus", "sn_ia"])
def test_every_kind_has_three_images_of_63_pixels_in_32_bits(kind):
    for image in images(kind, positive=True, variant=0):
        assert image.shape == (SIDE, SIDE)
        assert image.dtype.itemsize == 4
        assert np.isfinite(image).all()


@pytest.mark.parametrize("positive", [True, False])
def test_the_difference_shows_the_source_with_its_sign(positive):
    _, _, difference = images("variable", positive=positive, variant=3)
    middle = difference[SIDE // 2, SIDE // 2] * (1 if positive else -1)
    assert middle > 5 * difference.std() / 2
    assert np.unravel_index(np.abs(difference).argmax(), difference.shape) == pytest.approx((31, 31), abs=1)


def test_images_repeat_by_variant():
    assert stamps_of("sn_ii", positive=True, variant=1) == stamps_of("fast", positive=True, variant=1)
    assert stamps_of("agn", positive=True, variant=1) != stamps_of("agn", positive=True, variant=2)
