from pathlib import Path

import numpy as np
import pytest
from fakes.catalog import FakeCatalog
from fakes.table import JD, packet, table
from hypothesis import given, settings
from hypothesis import strategies as st
from support.filters import GOOD, LOOSE

from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.decent import DecentFilter
from ampeld.channel.decentcuts import DecentCuts
from ampeld.channel.family import Families
from ampeld.channel.judge import judge
from ampeld.channel.limits import Limits
from ampeld.channel.panel import Panel
from ampeld.channel.rcf import RcfFilter
from ampeld.channel.simpledecent import SimpleDecentFilter
from ampeld.flow.verdict import SKIPPED

FLOATS = sorted(
    name for name, value in LOOSE.items() if not name.startswith("gaia") and name not in ("min_ndet", "max_nbad")
)


def members(*filters):
    return [(one, CutNames()) for one in filters]


def together(found, columns):
    """Return the codes of each, by the family of the first."""
    family, place = Families(found).find(found[0][1])
    assert place == 0
    return [judgement.codes.tolist() for judgement in family.judge(columns)]


def alone(found, columns):
    return [judge(one, columns, names).codes.tolist() for one, names in found]


NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 0.75, 1.0, 2.0, 9.0, 20.0])
PARAMETERS = st.dictionaries(st.sampled_from(FLOATS), NUMBERS).map(lambda changed: dict(LOOSE) | changed)
VALUES = st.none() | NUMBERS
FIELDS = ["rb", "drb", "fwhm", "elong", "magdiff", "ssdistnr", "distpsnr1", "sgscore1", "distpsnr2", "sgscore2"]
ALERTS = st.builds(
    lambda fields, age, positive: packet(
        detections=[{"jd": JD - age, "candid": 9}],
        **(dict(GOOD) | fields | {"isdiffpos": "t" if positive else "f", "jdstarthist": JD - 2 * age}),
    ),
    st.dictionaries(st.sampled_from(FIELDS), VALUES),
    st.sampled_from([0.25, 1.0, 9.0]),
    st.booleans(),
)


@settings(max_examples=60)
@given(
    st.lists(PARAMETERS, min_size=2, max_size=5),
    st.integers(0, 1),
    st.lists(ALERTS, min_size=1, max_size=5),
)
def test_a_family_says_what_each_of_its_members_says(parameters, min_drb, alerts):
    made = [
        DecentFilter(**(params | {"min_ndet": 1 + i % 3, "min_drb": min_drb / 2}))
        for i, params in enumerate(parameters)
    ]
    batch = Columns(table(*alerts))
    assert together(members(*made), batch) == alone(members(*made), Columns(table(*alerts)))


def test_members_may_number_their_cuts_differently():
    found = members(SimpleDecentFilter(min_rb=0.5), SimpleDecentFilter(min_rb=0.95))
    found[1][1].number("of an earlier version")
    columns = Columns(table(packet(detections=[{"jd": JD - 1, "candid": 9}], **GOOD)))
    assert together(found, columns) == alone(found, columns) == [[1], [0x1000 + 1 + list(found[0][1]).index("rb")]]


def gaia(pmra):
    star = {"phot_g_mean_mag": 16.0, "astrometric_excess_noise_sig": 0.0, "pmra": pmra, "pmra_error": 1.0}
    star |= {"pmdec": 0.0, "pmdec_error": 1.0, "parallax": 0.0, "parallax_error": 1.0}
    return {"gaia": FakeCatalog([190.0], [30.0], **{name: [value] for name, value in star.items()})}


def test_a_search_for_stars_is_shared_too():
    made = [DecentFilter(**(LOOSE | {"gaia_rs": 20.0, "max_fwhm": fwhm})) for fwhm in (1.0, 9.0)]
    batch = table(packet(**GOOD))
    found = members(*made)
    for pmra in (0.0, 9.0):
        columns = Columns(batch, gaia(pmra))
        assert together(found, columns) == alone(found, columns)


def channel(name, made, *access):
    return Channel(
        name=name, filter=made, contact="", access=frozenset(access), on_known="off", version="", path=Path(name)
    )


def test_members_with_different_rights_see_their_own_alerts():
    made = [SimpleDecentFilter(min_ndet=1, min_tspan=0, min_rb=rb) for rb in (0.5, 0.6, 0.95, 0.5)]
    rights = ["ZTF_PUB", "ZTF_PRIV", "ZTF_PUB", "ZTF_PRIV"]
    channels = [channel(f"c{i}", one, right) for i, (one, right) in enumerate(zip(made, rights, strict=True))]
    batch = table(packet(programid=1, **GOOD), packet(programid=2, **GOOD), packet(**(dict(GOOD) | {"rb": 0.55})))
    families = Families([(one.filter, one.cut_names) for one in channels])
    panel = Panel(batch, families=families)
    found = [panel.judge(one).codes.tolist() for one in channels]
    assert found == [Panel(batch).judge(one).codes.tolist() for one in channels]
    assert [codes[1] == SKIPPED for codes in found] == [True, False, True, False]


def test_what_differs_in_more_than_numbers_is_no_family():
    found = members(
        SimpleDecentFilter(),
        DecentFilter(**LOOSE),
        DecentFilter(**(LOOSE | {"min_drb": 0.5})),  # looks at the score, the other does not
        DecentFilter(**(LOOSE | {"gaia_rs": 20.0})),
        DecentFilter(**(LOOSE | {"gaia_rs": 20.0, "gaia_pm_signif": 5.0})),
    )
    assert [Families(found).find(names) for _, names in found] == [None] * 5


def test_a_filter_of_an_authors_own_joins_no_family_by_descent():
    class Mine(DecentFilter):
        pass

    found = members(
        Mine(**LOOSE),
        Mine(**LOOSE),
        RcfFilter(min_dist_to_sso=1, min_gal_lat=1, min_age=1, max_ipac_age=1, max_magpsf=1),
    )
    assert [Families(found).find(names) for _, names in found] == [None] * 3


def test_members_that_are_alike_in_everything_are_judged_once():
    found = members(SimpleDecentFilter(), SimpleDecentFilter())
    columns = Columns(table(packet(**GOOD), packet(detections=[{"jd": JD - 1, "candid": 9}], **GOOD)))
    assert together(found, columns) == alone(found, columns)


def test_a_family_that_cannot_be_judged_together_says_so_at_once_from_then_on():
    class Branching(DecentCuts):
        in_families = True
        asked = 0

        def cuts(self, a):
            type(self).asked += 1
            if self.min_rb > 0.5:
                yield "real", a.rb > 0.9

    params = {name: value for name, value in LOOSE.items() if not name.startswith("gaia")}
    found = members(Branching(**params), Branching(**(params | {"min_rb": 1.0})))
    family, _ = Families(found).find(found[0][1])
    columns = Columns(table(packet(**GOOD)))
    assert [family.judge(columns), family.judge(columns)] == [None, None]
    assert Branching.asked == 1


@pytest.mark.parametrize(
    "use",
    [
        bool,
        lambda limits: limits == 1,
        lambda limits: limits != 1,
        lambda limits: limits > 1,
        lambda limits: limits + 1,
        lambda limits: -limits,
        lambda limits: {limits: 1},
        np.log,
        float,
        lambda limits: Columns(table(packet(**GOOD))).rb - limits,
        lambda limits: np.hypot(Columns(table(packet(**GOOD))).rb, limits),
        lambda limits: Columns(table(packet(**GOOD))).detections.jd > limits,
        lambda limits: Columns(table(packet(**GOOD))).object == limits,
    ],
)
def test_limits_do_nothing_but_being_compared_with_numbers_of_alerts(use):
    with pytest.raises(TypeError):
        use(Limits(np.array([[0.5], [1.0]])))


@pytest.mark.parametrize("compare", [lambda a, b: a < b, lambda a, b: b < a, lambda a, b: a == b, lambda a, b: b != a])
def test_a_comparison_with_limits_is_one_for_each_of_them(compare):
    a = Columns(table(packet(rb=0.5), packet(rb=None), packet(rb=1.0)))
    found = compare(a.rb, Limits(np.array([[0.5], [1.0]])))
    each = [compare(a.rb, 0.5), compare(a.rb, 1.0)]
    assert found.true.tolist() == [one.true.tolist() for one in each]
    assert found.false.tolist() == [one.false.tolist() for one in each]
    mixed = (found & (a.rb >= 0.75)) | a.rb.missing
    assert (~mixed).true.tolist() == [(~((one & (a.rb >= 0.75)) | a.rb.missing)).true.tolist() for one in each]
