"""The images of an alert: from its own table, or fetched from where they are."""

import pytest
from fakes.table import packet, table

from ampeld.channel.alert import Alert


def alerts():
    with_images = packet(candid=10) | {"cutoutScience": {"fileName": "a.fits.gz", "stampData": b"science"}}
    return table(with_images, packet(candid=11))


def test_a_table_with_images_has_them():
    assert Alert(alerts(), 0).cutout("cutoutScience") == b"science"


def test_a_table_without_them_has_them_fetched_by_number_and_name():
    asked = []

    def fetch(candid, name):
        asked.append((candid, name))
        return b"fetched"

    assert Alert(alerts(), 1, fetch).cutout("cutoutTemplate") == b"fetched"
    assert asked == [(11, "cutoutTemplate")]


def test_a_name_that_no_image_has_is_a_mistake():
    with pytest.raises(KeyError, match="did you mean 'cutoutScience'"):
        Alert(alerts(), 0).cutout("cutoutScienc")
