"""Cases: units measure what they are given, in their order; whatever they do becomes a measurement."""

import itertools

import msgspec
import pytest
from support.units import REGISTRY, recipe

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.links import detections, linked, select
from ampeld.feature.unit import StateUnit
from ampeld.feature.views import ObjectView
from ampeld.feature.work import Case, Job, measure_case
from ampeld.flow.codes import ERROR, EXCEPTION, FAILED_DEPENDENCY, OK

POINTS = [
    (-5, 1.0, ("ZTF",), {"diffmaglim": 20.0}),
    (10, 2.0, ("ZTF", "ZTF_G"), {"magpsf": 18.0, "full": False}),
    (20, 3.0, ("ZTF",), {"magpsf": 18.5, "full": True}),
]
VIEW = ObjectView("ztf", 1, ("ZTF18a",), ("ZTF",), ("a",), {}, {})


def job(name, col="t1", link=7, inputs=(), **more):
    return Job(name, recipe(name).config, col, link, inputs, **more)


def measured(*jobs, units=REGISTRY.units, points=POINTS):
    ticks = itertools.count()
    case = Case("ztf", 1, points, jobs, VIEW)
    # As it comes out of a message.
    case = msgspec.msgpack.decode(msgspec.msgpack.encode(case), type=Case)
    return dict(measure_case(case, units, lambda: float(next(ticks))))


def test_each_kind_of_unit_is_handed_what_it_measures():
    made = measured(job("Sizes"), job("Mark", "t0", 10), job("Name", "stock", 1))

    assert [made[i].code for i in range(3)] == [OK] * 3
    assert made[0].body == {"ids": [-5, 10, 20], "full": [20]}
    assert made[1].body == {"id": 10, "full": False, "tag": ["ZTF", "ZTF_G"]}
    assert made[2].body == {"name": ["ZTF18a"]}
    assert {one.ms for one in made.values()} == {1000.0}


def test_a_state_may_be_some_of_the_points():
    made = measured(job("Sizes"), job("Sizes", link=8, points=(10, 20)), job("Sizes", link=9, points=(-5,)))
    assert [made[i].body["ids"] for i in range(3)] == [[-5, 10, 20], [10, 20], [-5]]


def test_bodies_are_handed_on_measured_now_or_known_before():
    made = measured(
        job("Sizes"),
        job("Mark", "t0", 20, known={"id": "known"}),
        job("Tied", inputs=(0, 1, -1)),
        job("Name", "stock", 1),
    )
    assert sorted(made) == [0, 2, 3]
    assert made[2].body["inputs"] == [{"ids": [-5, 10, 20], "full": [20]}, {"id": "known"}, None]


def test_what_builds_upon_a_failure_is_not_measured():
    made = measured(job("Broken"), job("OnBroken", inputs=(0,)), job("Slow", failed=True), job("OnSlow", inputs=(2,)))

    assert {place: one.code for place, one in made.items()} == {
        0: EXCEPTION,
        1: FAILED_DEPENDENCY,
        3: FAILED_DEPENDENCY,
    }
    assert "ValueError" in made[0].error
    assert made[1].error == "a unit that it builds upon has failed"


def test_nonsense_is_an_error_that_names_the_value():
    (made,) = measured(job("Nonsense")).values()
    assert (made.code, made.body, made.error) == (ERROR, None, "value is nan: say Undefined with a reason instead")


@pytest.mark.parametrize("raised", [SystemExit(3), RecursionError(), MemoryError(), AssertionError("x" * 10**6)])
def test_whatever_a_unit_raises_is_its_own_result(raised):
    class Raising(StateUnit):
        def measure(self, light_curve, *inputs):
            raise raised

    made = measured(Job("Raising", 1, "t1", 7), job("Sizes"), units={**REGISTRY.units, ("Raising", 1): Raising()})
    assert (made[0].code, made[1].code) == (EXCEPTION, OK)
    assert len(made[0].error) <= 10_000


def test_a_light_curve_with_too_few_points_is_undefined_without_asking():
    class Choosy(StateUnit):
        min_points = 4

        def measure(self, light_curve, *inputs):
            raise AssertionError("asked")

    (made,) = measured(Job("Choosy", 1, "t1", 7), units={("Choosy", 1): Choosy()}).values()
    assert (made.code, made.body) == (OK, {"undefined": {"*": "too_few_points: 3 of 4"}})


def test_what_a_unit_changes_of_what_it_is_given_nobody_else_sees():
    class Vandal(StateUnit):
        def measure(self, light_curve, *inputs):
            light_curve.id[:] = 0
            light_curve.mag[:] = 0.0
            inputs[0]["ids"].clear()
            for body in light_curve.bodies:
                body.clear()
            return {}

    vandal = Job("Vandal", 1, "t1", 7, (0,))
    jobs = job("Sizes"), vandal, job("Sizes"), job("Mark", "t0", 20), job("Tied", inputs=(0, 3, -1))
    made = measured(*jobs, units={**REGISTRY.units, ("Vandal", 1): Vandal()})
    assert made[1].code == OK
    assert made[0].body == made[2].body == made[4].body["inputs"][0] == {"ids": [-5, 10, 20], "full": [20]}
    assert made[3].body == {"id": 20, "full": True, "tag": ["ZTF"]}


def test_a_traceback_quotes_what_is_no_unicode_so_that_a_message_can_hold_it():
    class Raising(StateUnit):
        def measure(self, light_curve, *inputs):
            raise ValueError("\udcff")

    (made,) = measured(Job("Raising", 1, "t1", 7), units={("Raising", 1): Raising()}).values()
    assert made.code == EXCEPTION
    assert made.error.endswith("ValueError: \\udcff\n")


class TestLinks:
    @pytest.mark.parametrize(
        ("survey", "bodies"),
        [
            ("ztf", [{"magpsf": 18.0}, {"magpsf": None}, {"diffmaglim": 20.0}, {}]),
            ("lsst", [{"psfFlux": 1.0}, {"psfFlux": 1.0, "diaForcedSourceId": 3}, {"psfFluxLimit": 2.0}]),
        ],
    )
    def test_detections_are_those_of_the_light_curve(self, survey, bodies):
        points = [(number, float(-number % 3), body) for number, body in enumerate(bodies * 2)]
        points.append((99, float("-inf"), bodies[0]))
        assert detections(survey, points) == LightCurve(survey, points).detections.id.tolist()

    def test_selections_of_detections(self):
        assert [select([3, 1, 2], which) for which in ("first", "last", "all")] == [[3], [2], [3, 1, 2]]
        assert [select([], which) for which in ("first", "last", "all")] == [[], [], []]

    @pytest.mark.parametrize(
        ("at", "kind", "link", "expected"),
        [
            (("t1", 7), "state", "same", ("t1", 7)),
            (("t1", 7), "point", "same", ("t0", 3)),
            (("t1", 7), "point", "first", ("t0", 3)),
            (("t1", 7), "point", "last", ("t0", 2)),
            (("t1", 7), "object", "same", ("stock", 1)),
            (("t1", 7), "object", "object", ("stock", 1)),
            (("t0", 3), "point", "same", ("t0", 3)),
            (("t0", 3), "object", "object", ("stock", 1)),
            (("stock", 1), "object", "same", ("stock", 1)),
            (("t0", 3), "state", "same", None),
        ],
    )
    def test_what_a_dependency_measures(self, at, kind, link, expected):
        assert linked(at, kind, link, 1, [3, 1, 2]) == expected

    def test_a_state_without_detections_links_to_no_point(self):
        assert linked(("t1", 7), "point", "first", 1, []) is None
