"""BrightSNProb's gates against AMPEL's, and its score against a model whose answer is known."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from onnx import TensorProto, helper
from support.curves import AWKWARD, NIGHT, light_curves, ztf, ztf_detection, ztf_limit
from support.features import assert_described, compare, golden, measured

from ampeld.feature.units.brightsnprob import FEATURES, BrightSNProb

OWN = ("slope_*_err", "t_predetect_*", "bool_pure_*", "gates*", "features*")
YOUNG = ztf(
    ztf_limit(1, NIGHT, 20.5),
    *(ztf_detection(n, NIGHT + n, 20 - 0.3 * n, fid=1 + n % 2, distnr=0.5 * n) for n in (1, 2, 3, 4)),
)


def linear(weight_of_t_lc):
    """Return a model: 0.3 and t_lc by its weight; other columns are not looked at."""
    position = FEATURES.index("t_lc")
    nodes = [
        helper.make_node("Gather", ["x", "at"], ["t_lc"], axis=1),
        helper.make_node("Mul", ["t_lc", "weight"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["score"]),
    ]
    constants = [
        helper.make_tensor("at", TensorProto.INT64, [1], [position]),
        helper.make_tensor("weight", TensorProto.FLOAT, [1], [weight_of_t_lc]),
        helper.make_tensor("bias", TensorProto.FLOAT, [1], [0.3]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        constants,
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString()


class Files:
    """Resources that hold one file."""

    def __init__(self, data):
        self._data = data

    def read(self, name):
        assert name == "sn.onnx"
        return self._data


def with_model(weight):
    unit = BrightSNProb(model="sn.onnx")
    assert list(unit.needs()) == [("file", "sn.onnx")]
    unit.open(Files(linear(weight)))
    return unit


@pytest.mark.golden
def test_gates_and_features_are_ampels_and_a_score_without_a_model_is_missing_where_ampel_says_a_half():
    unit = BrightSNProb()
    cases = golden("BrightSNProb")
    passed = 0
    for case in cases:
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        tolerances = {"slope_*": 5e-9, "col_*": 1e-13}
        assert compare(body, case.body, rel=tolerances, extra=OWN, skip=("SNGuess*",)) == [], case.name
        if "SNGuess" not in case.body:
            continue
        assert body["SNGuess"] is body["SNGuessBool"] is None
        assert body["features"] == [case.body[name] for name in FEATURES] or body["col_det"] is not None
        if case.body["SNGuess"] == 0.5:
            assert body["gates"]
            assert body["undefined"]["SNGuess"] == "out_of_limits: " + ", ".join(body["gates"])
        else:
            passed += 1
            assert body["gates"] == []
            assert body["undefined"]["SNGuess"] == "no_model"
    assert (len(cases), passed) == (56, 2)


@pytest.mark.parametrize(("weight", "guess"), [(0.1, 1), (0.01, 0)])
def test_the_score_is_the_models(weight, guess):
    body = measured(with_model(weight), YOUNG)
    assert body["success"] is True
    assert body["SNGuess"] == pytest.approx(0.3 + weight * 3, rel=1e-6)
    assert body["SNGuessBool"] == guess
    assert "SNGuess" not in body.get("undefined", {})


def test_a_model_is_not_asked_about_what_fails_a_gate():
    body = measured(with_model(1.0), ztf(ztf_detection(1, NIGHT), ztf_detection(2, NIGHT + 1)))
    assert (body["success"], body["gates"], body["SNGuess"]) == (False, ["t_predetect"], None)


def test_a_score_that_is_no_number_is_missing():
    body = measured(with_model(np.inf), YOUNG)
    assert body["undefined"]["SNGuess"].startswith("not_finite")
    assert body["gates"] == []


def test_a_model_of_another_shape_is_refused():
    model = onnx.load_from_string(linear(1.0))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3
    with pytest.raises(ValueError, match="16"):
        BrightSNProb(model="sn.onnx").open(Files(model.SerializeToString()))


@pytest.mark.parametrize("name", AWKWARD)
def test_what_is_awkward_has_values_or_reasons(name):
    unit = BrightSNProb()
    assert_described(unit, measured(unit, AWKWARD[name]))


@settings(max_examples=25)
@given(light_curves())
def test_any_light_curve_has_a_score_exactly_where_it_passes_the_gates(curve):
    body = measured(with_model(0.1), curve)
    if body["success"] or "gates" in body:
        assert (body["SNGuess"] is not None) == (body["gates"] == []) == body["success"]
