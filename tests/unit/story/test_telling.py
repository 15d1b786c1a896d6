"""An object is told with the origin of everything: who brought each point, which state is the newest, who measured."""

from support.dossiers import a_dossier, feature

from ampeld.story.sentences import sentences
from ampeld.story.telling import own_alerts, tell


def told(*features):
    return tell(a_dossier(*features), "ztf")


def test_points_come_in_the_order_of_time_with_the_alert_that_brought_them():
    points = told().points
    assert [(p.id, p.kind, p.full) for p in points] == [
        (-3, "limit", False),
        (100, "detection", True),
        (101, "detection", True),
    ]
    assert [(p.brought.alert, p.brought.offset) for p in points] == [(100, 5), (100, 5), (101, 9)]
    assert (points[0].mag, points[0].limit, points[1].band, points[2].band) == (None, 20.5, "g", "r")


def test_the_newest_state_of_a_channel_is_marked():
    assert [(state.link, state.points, state.newest_of) for state in told().states] == [(-5, 2, []), (-6, 3, ["rapid"])]


def test_a_feature_tells_who_measured_it_with_which_parameters_and_code():
    (one,) = told(feature("RiseDecline", -6, {"t_lc": 2.0})).features
    assert (one.run, one.ms, one.trace["digest"], one.params, one.newest) == (
        "r2",
        0.25,
        "d1g35t",
        {"max_tsep": 2.0},
        True,
    )
    (old,) = told(feature("RiseDecline", -5, {"t_lc": 0.0})).features
    assert not old.newest


def test_verdicts_are_asked_for_of_the_newest_alerts_that_brought_points_of_their_own():
    assert own_alerts(a_dossier(), 5) == [101, 100]
    assert own_alerts(a_dossier(), 1) == [101]


def test_the_story_names_alert_coordinates_channel_version_run_and_unit():
    story = "\n".join(sentences(told(feature("RiseDecline", -6, {"t_lc": 2.0}))))
    for words in (
        "Alert 100 of 2017-09-03 12:00 UTC (night/3/5) was accepted by rapid@rapid-v1, in run r1",
        "Alert 100 (night/3/5, schema 5c4e3a) brought the detection 18.50 ± 0.10 mag in g, its own, and 1 limit",
        "State -6 of 2017-09-05 12:00 UTC has 3 points and was reached by alert 101; it is the newest of rapid.",
        "RiseDecline (configuration 99) measured 1 value of state -6 in 0.25 ms for rapid in run r2",
        "(version 1, source d1g35t, Python 3.11.7)",
    ):
        assert words in story


def test_the_story_tells_what_waits_and_what_failed():
    waits = feature("RiseDecline", -6, None, code=-1, meta=[{"run": "r2", "ts": 1.0, "code": -1}])
    failed = feature("Decay", -6, None, code=-4)
    story = sentences(told(waits, failed))
    assert any("RiseDecline (configuration 99) has yet to measure state -6 for rapid (new)." in line for line in story)
    assert any(
        "Decay (configuration 99) failed on state -6 in run r2" in line and "exception" in line for line in story
    )


def test_an_object_without_a_state_can_be_told():
    dossier = a_dossier()
    dossier.t0, dossier.t1, dossier.stock["journal"] = [], [], []
    assert sentences(tell(dossier, "ztf")) == []
