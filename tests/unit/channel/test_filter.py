from fakes.table import candidates

import ampeld.channel
from ampeld.channel import Filter
from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import judge
from ampeld.channel.passall import PassAll
from ampeld.flow.verdict import ACCEPTED


class Prepared(Filter):
    low: float = 1.0

    def prepare(self):
        self.twice = 2 * self.low


def test_what_an_author_needs_comes_from_one_place():
    assert set(ampeld.channel.__all__) == {
        "Alert",
        "Column",
        "Columns",
        "Condition",
        "Cuts",
        "Filter",
        "TextFile",
        "shared",
    }


def test_parameters_are_attributes_when_a_filter_prepares():
    assert Prepared(low=3).twice == 6.0
    assert Prepared().twice == 2.0


def test_the_base_has_no_cuts_and_no_code_of_its_own():
    assert list(Filter().cuts(Columns(candidates("rb", 1.0)))) == []
    assert not hasattr(Filter(), "accept")


def test_pass_all_takes_everything():
    assert judge(PassAll(), candidates("rb", None, 0.0, 1.0), CutNames()).codes.tolist() == [ACCEPTED] * 3
