"""What the units of the sky say of their values can be read by astropy."""

import pytest
from astropy import units as u

from ampeld.feature.units.catalogmatch import CatalogMatch
from ampeld.feature.units.digestredshifts import DigestRedshifts
from ampeld.feature.units.healpixprob import HealpixProb
from ampeld.feature.units.observability import Observability


@pytest.mark.parametrize("unit", [CatalogMatch, DigestRedshifts, HealpixProb, Observability])
def test_every_value_has_a_unit_that_astropy_reads_and_a_description(unit):
    assert unit.values
    for value in unit.values:
        u.Unit(value.unit)
        assert len(value.description) > 5
