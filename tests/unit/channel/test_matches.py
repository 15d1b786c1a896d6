import numpy as np
import pytest
from fakes.catalog import FakeCatalog
from fakes.table import packet, table

from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.filter import Filter
from ampeld.channel.judge import judge
from ampeld.errors import ChannelCodeError
from ampeld.flow.verdict import ERRORED

ARCSEC = 1 / 3600
# two sources near the first alert at (10, 20), the nearer one second; none near the second at (50, -5)
SOURCES = FakeCatalog(
    [10.0, 10.0], [20 + 5 * ARCSEC, 20 - 2 * ARCSEC], pmra=[8.0, None], pmra_error=[1.0, 1.0], kind=["star", "galaxy"]
)


def batch(catalogs=None):
    alerts = table(packet(), packet(candid=11, ra=50.0, dec=-5.0))
    return Columns(alerts, {"gaia": SOURCES} if catalogs is None else catalogs)


def test_sources_come_nearest_first_and_their_columns_with_them():
    near = batch().near("gaia", 10)
    assert near.count().values.tolist() == [2, 0]
    assert near.distance.values.tolist() == pytest.approx([2, 5])
    assert near.kind.values.tolist() == ["galaxy", "star"]
    assert near.kind.offsets.tolist() == [0, 2, 2]
    assert len(near) == 2


def test_only_sources_within_the_radius_are_near():
    assert batch().near("gaia", 3).count().values.tolist() == [1, 0]
    assert batch().near("gaia", 1).count().values.tolist() == [0, 0]


def test_conditions_on_sources_leave_one_truth_value_for_each_alert():
    near = batch().near("gaia", 10)
    moving = abs(near.pmra / near.pmra_error) > 3
    assert moving.any().true.tolist() == [True, False]
    assert (~moving.any()).true.tolist() == [False, True]
    assert moving.count().values.tolist() == [1, 0]


def test_a_value_that_a_source_lacks_is_missing():
    near = batch().near("gaia", 10)
    assert near.pmra.missing.true.tolist() == [True, False]


def test_sources_are_selected_by_a_condition_on_them():
    near = batch().near("gaia", 10)
    stars = near[near.kind == "star"]
    assert stars.count().values.tolist() == [1, 0]
    assert stars.distance.values.tolist() == pytest.approx([5])
    assert stars.pmra.values.tolist() == [8.0]


def test_sources_of_different_searches_do_not_go_together():
    a = batch()
    with pytest.raises(ValueError, match="different lengths"):
        a.near("gaia", 10)[a.near("gaia", 3).distance < 1]
    with pytest.raises(TypeError, match="a condition on them"):
        a.near("gaia", 10)[0]


def test_a_column_that_the_catalogue_lacks_is_named_with_the_nearest():
    with pytest.raises(AttributeError, match=r"catalogue 'gaia' has no column 'pmrra'; did you mean 'pmra'\?"):
        batch().near("gaia", 10).pmrra  # noqa: B018


def test_a_missing_catalogue_is_an_error_and_never_no_match():
    with pytest.raises(ChannelCodeError, match=r"no catalogue 'gaja'; did you mean 'gaia'\? \(there: gaia\)"):
        batch().near("gaja", 10)


def test_a_channel_without_its_catalogue_errs_on_every_alert():
    class Isolated(Filter):
        def cuts(self, a):
            yield "isolated", a.near("gaia", 5).count() == 0

    judgement = judge(Isolated(), batch({}), CutNames())
    assert judgement.codes.tolist() == [ERRORED, ERRORED]
    assert "there is no catalogue 'gaia'" in judgement.failures[0].error


@pytest.mark.parametrize("radius", [0, -1, float("nan")])
def test_a_radius_with_nothing_within_it_is_an_error_even_beside_a_larger_one(radius):
    a = batch()
    a.near("gaia", 10)
    with pytest.raises(ValueError, match="radius"):
        a.near("gaia", radius)


def test_channels_that_ask_for_the_same_share_one_search():
    catalog = FakeCatalog([10.0], [20.0])
    a = batch({"gaia": catalog})
    assert a.near("gaia", 10) is a.near("gaia", 10)
    assert catalog.searches == [10]


def test_a_larger_search_serves_a_smaller_one_with_the_same_answer():
    rng = np.random.default_rng(1)
    catalog = FakeCatalog(rng.normal(10, 0.002, 50).tolist(), rng.normal(20, 0.002, 50).tolist())
    small = batch({"c": catalog}).near("c", 4)
    a = batch({"c": catalog})
    a.near("c", 9)
    served = a.near("c", 4)
    assert catalog.searches == [4, 9]
    assert served.distance.values.tolist() == small.distance.values.tolist()
    assert served.ra.values.tolist() == small.ra.values.tolist()
    assert len(small.ra.values) > 1


def test_matches_cannot_be_changed():
    near = batch().near("gaia", 10)
    with pytest.raises(AttributeError, match="read-only"):
        near.pmra = 1
    with pytest.raises(ValueError, match="read-only"):
        near.distance.values[0] = 1.0


def test_an_editor_completes_the_columns_of_the_catalogue():
    assert {"pmra", "distance", "count"} <= set(dir(batch().near("gaia", 10)))
    assert "near" in dir(batch())


def test_an_explanation_says_what_was_searched_and_how_far():
    near = batch().near("gaia", 10)
    assert near.count().name == "near('gaia', 10).count()"
    assert near.within(2.5).count().name == "near('gaia', 2.5).count()"
    assert near[near.distance < 3].count().name == "near('gaia', 10)[...].count()"
