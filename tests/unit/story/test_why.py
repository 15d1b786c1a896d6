"""A value is traced back to the coordinates of the alerts that it rests on, and a missing one to its reason."""

import pytest
from support.dossiers import a_dossier, feature

from ampeld.story.telling import tell
from ampeld.story.why import Meaning, NoValueError, trace_back

BODY = {
    "t_lc": 2.0,
    "g": {"strength": 0.5, "all": [1, 2]},
    "slope_rise_g": None,
    "a.b": 4,
    "undefined": {"slope_rise_g": "no_rise: only one point", "slope_fall_g": "not_peaked"},
}
MEANINGS = {
    "t_lc": Meaning("d", "from first to last detection"),
    "slope_rise_{band}": Meaning("mag / d", "of the rise"),
}


def why(words, *features, config=None):
    dossier = a_dossier(*(features or (feature("RiseDecline", -6, BODY), feature("RiseDecline", -5, {"t_lc": 0.0}))))
    return trace_back(tell(dossier, "ztf"), dossier, words, config=config, meanings=MEANINGS)


def test_a_value_is_that_of_the_newest_state_and_names_every_alert_that_it_rests_on():
    traced = why("RiseDecline.t_lc")
    assert (traced.value, traced.state["link"], [p.id for p in traced.points]) == (2.0, -6, [-3, 100, 101])
    assert [(a.alert, a.topic, a.partition, a.offset) for a in traced.alerts] == [
        (100, "night", 3, 5),
        (101, "night", 3, 9),
    ]


def test_its_story_goes_from_the_value_over_code_and_state_to_the_bytes():
    story = why("RiseDecline.t_lc").story
    expected = [
        "RiseDecline.t_lc of ZTF20aaaaaaa is 2.0 d.",
        "It means: from first to last detection.",
        "in run r2",
        "version 1, its source d1g35t, on Python 3.11.7 with numpy 2.4.6",
        "It used gaia, whose digest is f00d.",
        "configuration 99 is max_tsep = 2.0",
        "builds upon CatalogMatch (configuration 77), which has no result here",
        "state -6, the newest of rapid: 3 points",
        "rapid@rapid-v1 accepted that alert",
        "Alert 100 at night/3/5",
        "Alert 101 at night/3/9",
    ]
    places = [next(i for i, line in enumerate(story) if words in line) for words in expected]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("key", "value"), [("g.strength", 0.5), ("g.all[1]", 2), ("g.all.0", 1), ("a.b", 4), ("g", BODY["g"])]
)
def test_values_within_tables_and_lists_are_found(key, value):
    assert why(f"RiseDecline.{key}").value == value


@pytest.mark.parametrize(
    ("key", "reason"), [("slope_rise_g", "no_rise: only one point"), ("slope_fall_g", "not_peaked")]
)
def test_a_missing_value_tells_its_reason_even_where_its_key_is_left_out(key, reason):
    traced = why(f"RiseDecline.{key}")
    assert (traced.value, traced.reason) == (None, reason)
    assert f"It is missing: {reason}." in traced.story[0]


def test_a_pattern_of_keys_says_what_each_means():
    assert why("RiseDecline.slope_rise_g").meaning.unit == "mag / d"
    assert why("RiseDecline.a.b").meaning is None


def test_a_unit_beside_a_channel_has_dots_in_its_name():
    assert why("decay.py:Decay.rate", feature("decay.py:Decay", -6, {"rate": 3})).value == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("RiseDeclin.t_lc", "did you mean 'RiseDecline'"),
        ("RiseDecline.t_lv", "did you mean 't_lc'"),
        ("RiseDecline", "which value"),
        ("RiseDecline.g.strength.more", "has no value .*; it has "),
        ("RiseDecline.g.all[9]", "has no value"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(words, told):
    with pytest.raises(NoValueError, match=told.replace("[", r"\[")):
        why(words)


def test_a_feature_without_a_result_tells_its_code_and_what_was_said():
    with pytest.raises(NoValueError, match="has no result on t1 -6: exception"):
        why("Decay.rate", feature("Decay", -6, None, code=-4))
    failed = feature("Decay", -6, None, code=-4, meta=[{"ts": 1.0, "code": -4, "error": "ValueError: no such star"}])
    with pytest.raises(NoValueError, match="exception\nValueError: no such star"):
        why("Decay.rate", failed)
    with pytest.raises(NoValueError, match="there are 99"):
        why("RiseDecline.t_lc", config=5)
