"""Classifier with real ONNX models: a line, a tree in scikit-learn's form, and what does not suit."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.curves import ztf
from support.features import assert_described, measured
from support.onnx_models import linear, stump, two_inputs

from ampeld.daemon.feature_resources import LocalResources
from ampeld.feature.units import classifier
from ampeld.feature.units.classifier import Classifier
from ampeld.params import ParameterError

FEATURES = ["RiseDecline.t_lc", "RiseDecline.bool_rising", "LCQuality.g.purity"]
RISE = {"t_lc": 3.0, "bool_rising": True}
QUALITY = {"g": {"purity": 0.5}}
WEIGHTS = [[0.5, -0.5], [1.0, 0.0], [0.0, 2.0]]


@pytest.fixture
def opened(tmp_path):
    """Return a function that makes a classifier with a model beside the channel file."""

    def make(data, *, features=FEATURES, **params):
        (tmp_path / "model.onnx").write_bytes(data)
        unit = Classifier(model="model.onnx", features=features, **params)
        resources = LocalResources({}, tmp_path)
        unit.open(resources)
        unit.test_digests = resources.digests
        return unit

    return make


def expected(row, biases):
    scores = np.array(row) @ np.array(WEIGHTS) + biases
    return np.exp(scores) / np.exp(scores).sum()


def test_probabilities_are_the_models_for_the_values_of_the_units(opened):
    unit = opened(linear(WEIGHTS, [0.1, 0.2]), classes=["sn", "agn"])
    body = measured(unit, ztf(), RISE, QUALITY)
    assert_described(unit, body)
    sn, agn = expected([3.0, 1.0, 0.5], [0.1, 0.2])
    assert body["probabilities"] == pytest.approx({"sn": sn, "agn": agn}, rel=1e-6)
    assert (body["class"], body["probability"]) == ("sn", body["probabilities"]["sn"])
    assert body["missing"] == []


def test_the_body_names_the_models_digest_which_is_that_of_the_trace(opened):
    data = linear(WEIGHTS, [0.1, 0.2])
    unit = opened(data)
    body = measured(unit, ztf(), RISE, QUALITY)
    assert body["model_digest"] == hashlib.blake2b(data, digest_size=16).hexdigest()
    assert unit.test_digests == {"model.onnx": body["model_digest"]}
    assert list(unit.needs()) == [("file", "model.onnx")]
    assert list(body["probabilities"]) == ["0", "1"]


@pytest.mark.parametrize(("bodies", "missing"), [((None, QUALITY), FEATURES[:2]), ((RISE, {"g": None}), FEATURES[2:])])
def test_a_missing_value_is_nan_to_a_tree_and_named(opened, bodies, missing):
    unit = opened(stump(3, feature=0, threshold=2.0))
    body = measured(unit, ztf(), *bodies)
    assert body["missing"] == missing
    # NaN is not at or below the threshold: the branch of the unknown.
    assert body["class"] == "rare"
    assert body["probabilities"] == pytest.approx({"usual": 0.2, "rare": 0.8}, rel=1e-6)


def test_a_fill_value_takes_the_place_of_nan(opened):
    unit = opened(stump(3, feature=0, threshold=2.0), fill=-99.0)
    assert measured(unit, ztf(), {"t_lc": None}, QUALITY)["class"] == "usual"


def test_without_any_value_there_is_a_reason(opened):
    unit = opened(linear(WEIGHTS, [0.1, 0.2]))
    assert measured(unit, ztf(), None, None) == {"undefined": {"*": "no_input: none of the features has a value"}}


def test_a_line_that_meets_a_missing_value_gives_a_reason_and_no_nan(opened):
    body = measured(opened(linear(WEIGHTS, [0.1, 0.2])), ztf(), RISE, None)
    assert body["probabilities"] is None
    assert body["undefined"]["class"].startswith("not_finite")
    assert body["missing"] == ["LCQuality.g.purity"]


@pytest.mark.parametrize("double", [False, True])
def test_raw_scores_become_probabilities(opened, double):
    unit = opened(linear(WEIGHTS, [0.1, 0.2], softmax=False, double=double), activation="softmax")
    found = measured(unit, ztf(), RISE, QUALITY)["probabilities"]
    assert list(found.values()) == pytest.approx(expected([3.0, 1.0, 0.5], [0.1, 0.2]).tolist(), rel=1e-6)


def test_one_number_is_the_second_of_two_classes(opened):
    unit = opened(linear([[1.0], [0.0], [0.0]], [-2.0], softmax=False), classes=["no", "yes"], activation="sigmoid")
    found = measured(unit, ztf(), RISE, QUALITY)["probabilities"]
    assert found == pytest.approx({"no": 1 / (1 + math.e), "yes": math.e / (1 + math.e)}, rel=1e-6)


def test_a_class_whose_name_is_given_by_the_model_keeps_it(opened):
    unit = opened(stump(3, feature=0, threshold=2.0))
    assert set(measured(unit, ztf(), RISE, QUALITY)["probabilities"]) == {"usual", "rare"}


def test_the_units_of_features_are_dependencies_each_once_with_their_parameters(opened):
    unit = opened(linear(WEIGHTS, [0.1, 0.2]), units={"RiseDecline": {"max_tsep": 3.0}})
    assert [(one.unit, dict(one.params)) for one in unit.dependencies()] == [
        ("RiseDecline", {"max_tsep": 3.0}),
        ("LCQuality", {}),
    ]


def test_a_unit_of_a_module_beside_the_channel_keeps_its_name():
    unit = Classifier(model="m", features=["decay.py:Decay.rate.g"])
    assert [one.unit for one in unit.dependencies()] == ["decay.py:Decay"]


@pytest.mark.parametrize(
    ("data", "params", "said"),
    [
        (b"no model", {}, "model: onnxruntime cannot read it"),
        (linear(WEIGHTS, [0.0, 0.0]), {"features": FEATURES[:2]}, "features: 2 are given"),
        (linear(WEIGHTS, [0.0, 0.0]), {"classes": ["a", "b", "c"]}, "classes: 3 names, and the model gives 2"),
        (linear(WEIGHTS, [0.0, 0.0]), {"output": "uot"}, "did you mean 'out'"),
        (two_inputs(), {"features": FEATURES[:1]}, "one input of type float or double"),
        (stump(3, 0, 1.0), {"output": "label"}, "holds no numbers"),
    ],
)
def test_what_does_not_suit_the_model_is_refused_before_the_first_measurement(opened, data, params, said):
    with pytest.raises(ValueError, match=said):
        opened(data, **params)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"features": []}, "features: none"),
        ({"features": ["RiseDecline"]}, "not of the form"),
        ({"features": FEATURES, "units": {"Decay": {}}}, "units: no feature is of Decay"),
        ({"features": FEATURES, "classes": ["a", "a"]}, "classes: two"),
    ],
)
def test_wrong_parameters_are_refused_by_name(params, said):
    with pytest.raises(ParameterError, match=said):
        Classifier(model="m", **params)


def test_a_missing_onnxruntime_is_told_with_the_extra(monkeypatch):
    monkeypatch.setattr(classifier, "find_spec", lambda _: None)
    with pytest.raises(ParameterError, match=r"ampeld\[onnx\]"):
        Classifier(model="m", features=FEATURES)


VALUES = st.none() | st.floats() | st.booleans() | st.text() | st.integers() | st.dictionaries(st.text(), st.none())
BODIES = st.none() | st.dictionaries(st.sampled_from(["t_lc", "bool_rising", "g"]), VALUES)


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("model")
    (directory / "model.onnx").write_bytes(stump(3, 0, 2.0))
    unit = Classifier(model="model.onnx", features=FEATURES)
    unit.open(LocalResources({}, directory))
    return unit


@settings(max_examples=25)
@given(BODIES, BODIES)
def test_any_bodies_give_probabilities_or_a_reason(fixed, rise, quality):
    body = measured(fixed, ztf(), rise, quality)
    assert_described(fixed, body)
    assert "undefined" in body or sum(body["probabilities"].values()) == pytest.approx(1.0, abs=1e-6)
