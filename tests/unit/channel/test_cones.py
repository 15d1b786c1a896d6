import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampeld.alert.sphere import separation_arcsec
from ampeld.channel.cones import Cones, read_cones
from ampeld.channel.textfile import TextFile


def read(text, radius=1.5):
    return read_cones(TextFile("cones.csv", text), radius)


def contains(cones, ra, dec):
    return bool(cones.contain(np.array([ra]), np.array([dec]))[0])


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 45.0, 89.99, -90.0]))
def test_positions_in_any_circle_are_found_whatever_the_radii(seed, dec):
    rng = np.random.default_rng(seed)
    ra = rng.uniform(0, 360, 40)
    centre = np.clip(dec + rng.normal(0, 0.5, 40), -90, 90)
    radius = 10 ** rng.uniform(-1, 4.5, 40)
    at = rng.uniform(0, 360, 60), np.clip(dec + rng.normal(0, 0.5, 60), -90, 90)
    away = separation_arcsec(at[0][:, None], at[1][:, None], ra, centre)
    assert Cones(ra, centre, radius).contain(*at).tolist() == (away <= radius).any(axis=1).tolist()


def test_circles_reach_across_the_zero_of_right_ascension_and_the_pole():
    assert contains(read("ra,dec,radius\n359.9999,0,2\n"), 0.0001, 0.0)
    assert contains(read("ra,dec,radius\n10,89.9999,2\n"), 190.0, 89.9999)


def test_a_file_may_leave_radii_and_names_out_and_have_comments():
    cones = read("# hosts\nra, dec, name\n10, 20, here  # the first\n\n50,-5,there\n", 2.0)
    assert contains(cones, 10.0, 20 + 1.9 / 3600)
    assert not contains(cones, 10.0, 20 + 2.1 / 3600)
    assert contains(cones, 50.0, -5.0)
    assert contains(read("ra,dec,radius\n10,20,\n", 3.0), 10.0, 20 + 2.9 / 3600)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cones.csv: is empty"),
        ("ra,dec\n", "no line below"),
        ("ra,radius\n1,2\n", r"cones.csv:1: has no column 'dec'"),
        ("ra,dec,radus\n1,2,3\n", r"cones.csv:1: no column is named 'radus'; did you mean 'radius'\?"),
        ("ra,dec\n1,2\n\n12:30:00,5\n", r"cones.csv:4: could not convert string to float: '12:30:00'"),
        ("ra,dec\n361,2\n", "cones.csv:2: ra is 361"),
        ("ra,dec\n1,-91\n", "cones.csv:2: dec is -91"),
        ("ra,dec\nnan,1\n", "cones.csv:2: ra is nan"),
        ("ra,dec,radius\n1,1,0\n", "cones.csv:2: radius is 0"),
        ("ra,dec,radius\n1,1\n", "cones.csv:2: .*shorter"),
    ],
)
def test_a_wrong_line_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)
