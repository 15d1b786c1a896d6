import pytest
from fakes.table import packet, table

from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import judge
from ampeld.channel.textfile import TextFile
from ampeld.channel.watch import WatchFilter
from ampeld.flow.verdict import ACCEPTED
from ampeld.params import ParameterError

ALERTS = table(
    packet(name="ZTF21aaaaaaa"),
    packet(name="ZTF21bbbbbbb", candid=11, ra=50.0, dec=-5.0),
    packet(name="ZTF21ccccccc", candid=12, ra=200.0, dec=60.0),
)


def accepted(**params):
    names = CutNames()
    codes = judge(WatchFilter(**params), ALERTS, names).codes
    assert names.names == ["watched"]
    return [i for i, code in enumerate(codes) if code == ACCEPTED]


def test_objects_are_watched_by_their_names():
    assert accepted(objects=["ZTF21bbbbbbb", "ZTF99zzzzzzz"]) == [1]


def test_names_may_lie_in_a_file_with_comments():
    assert accepted(objects=TextFile("watch.txt", "# mine\nZTF21aaaaaaa  # the first\n\nZTF21ccccccc\n")) == [0, 2]


def test_places_are_watched_by_circles():
    assert accepted(cones=TextFile("cones.csv", "ra,dec,radius\n50,-5,1\n200,60.001,1\n")) == [1]
    assert accepted(cones=TextFile("cones.csv", "ra,dec\n200,60.001\n"), radius=4.0) == [2]


def test_names_and_places_go_together():
    assert accepted(objects=["ZTF21aaaaaaa"], cones=TextFile("cones.csv", "ra,dec\n50,-5\n")) == [0, 1]


@pytest.mark.parametrize(
    ("params", "key", "message"),
    [
        ({}, "objects", "nothing to watch"),
        ({"objects": TextFile("watch.txt", "# none\n")}, "objects", "nothing to watch"),
        ({"objects": ["ZTF21aaaaaaa ZTF21bbbbbbb"]}, "objects", "no name of an object"),
        ({"cones": TextFile("cones.csv", "ra,dec\n1,x\n")}, "cones", "cones.csv:2"),
        ({"cones": "cones.csv"}, "cones", "expected"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(params, key, message):
    with pytest.raises(ParameterError) as caught:
        WatchFilter(**params)
    assert caught.value.errors[0][0] == key
    assert message in caught.value.errors[0][1]
