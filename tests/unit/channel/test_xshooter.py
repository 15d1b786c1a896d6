import pytest
from fakes.table import JD
from support.filters import LOOSE, above, below, cuts_of, good, said

from ampeld.channel.xshooter import XShooterFilter

PARAMS = LOOSE | {"max_dec": 30.0, "det_within": 0.25, "ul_within": 5.0}
NEW = {"chipsf": 1.0, "seeratio": 1.0, "sumrat": 0.9}


def fresh(ages=(), limits=(1.0,), **fields):
    """Return an alert with detections and limits of these ages [d]."""
    detections = tuple({"jd": JD - age, "candid": 20 + i} for i, age in enumerate(ages))
    return good(detections=detections, limits=limits, **(NEW | fields))


@pytest.mark.parametrize(
    ("expected", "alert"),
    [
        ("accepted", fresh()),
        ("max_dec", fresh(dec=above(30.0))),
        ("accepted", fresh(chipsf=4.0)),
        ("chipsf", fresh(chipsf=above(4.0))),
        ("chipsf", fresh(chipsf=None)),
        ("accepted", fresh(seeratio=2.0)),
        ("seeratio", fresh(seeratio=above(2.0))),
        ("accepted", fresh(sumrat=0.6)),
        ("sumrat", fresh(sumrat=below(0.6))),
        ("limit", fresh(limits=())),
        ("limit", fresh(limits=(5.0, 6.0))),
        ("accepted", fresh(limits=(4.75, 6.0))),
        ("accepted", fresh(ages=(0.125,))),
        ("between", fresh(ages=(0.25,))),
        ("between", fresh(ages=(4.75,))),
        ("accepted", fresh(ages=(5.0,))),
        ("complete", fresh(rb=None)),
        ("isdiffpos", fresh(isdiffpos="f")),
    ],
)
def test_the_limits_are_ampels(expected, alert):
    assert said(XShooterFilter(**PARAMS), alert) == [expected]


def test_the_alert_itself_is_too_old_for_no_time_at_all():
    assert said(XShooterFilter(**(PARAMS | {"det_within": 0.0})), fresh()) == ["detected"]


def test_its_own_cuts_come_before_decents():
    assert cuts_of(XShooterFilter(**PARAMS))[:8] == [
        *("max_dec", "chipsf", "seeratio", "sumrat", "detected", "limit", "between", "ndet")
    ]
