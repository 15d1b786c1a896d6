from ampeld.names import did_you_mean


def test_the_nearest_name_is_proposed():
    assert did_you_mean("magpfs", ["magap", "magpsf", "rb"]) == "; did you mean 'magpsf'?"


def test_letters_of_either_case_are_alike():
    assert did_you_mean("pmRA", ["ra", "pmra"]) == "; did you mean 'pmra'?"
    assert did_you_mean("ra", ["RAJ2000", "DEJ2000", "RA"]) == "; did you mean 'RA'?"


def test_nothing_is_proposed_where_nothing_is_near():
    assert did_you_mean("z", ["ra", "dec"]) == ""
