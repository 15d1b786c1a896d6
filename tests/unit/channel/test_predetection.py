from fakes.table import JD
from support.filters import LOOSE, above, cuts_of, good, said

from ampeld.channel.predetection import PredetectionFilter


def judged(trigger, *ages, **fields):
    detections = tuple({"jd": JD - age, "candid": 20 + i} for i, age in enumerate(ages))
    return said(PredetectionFilter(**LOOSE, trigger_jd=trigger), good(detections=detections, **fields))


def test_nothing_may_have_been_detected_before_the_trigger():
    assert judged(JD - 2, 1, 3) == ["predetection"]
    assert judged(JD - 2, 1, 2) == ["accepted"]
    assert judged(above(JD - 2), 1, 2) == ["predetection"]


def test_the_alert_itself_may_be_too_early():
    assert judged(JD + 1) == ["predetection"]


def test_an_upper_limit_before_the_trigger_does_not_matter():
    assert said(PredetectionFilter(**LOOSE, trigger_jd=JD - 2), good(detections=(), limits=(5.0,))) == ["accepted"]


def test_without_a_trigger_it_is_decent():
    assert judged(0, 1, 400) == ["accepted"]
    assert judged(0, isdiffpos="f") == ["isdiffpos"]
    assert cuts_of(PredetectionFilter(**LOOSE))[:2] == ["predetection", "ndet"]
