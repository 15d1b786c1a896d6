"""Probabilities of classes, by an author's own model on the features that other units measure."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from importlib.util import find_spec
from typing import Any, ClassVar, Final, Literal

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_INPUT, NOT_FINITE
from ampeld.feature.unit import Dependency, Input, Measured, Resources, StateUnit, Undefined, Value
from ampeld.feature.units.classifier_features import Feature, parse_feature, unit_names, vector
from ampeld.feature.units.classifier_model import Model, open_model

_DIGEST_BYTES: Final = 16


class Classifier(StateUnit):
    """Run an ONNX model on named features of other units, and give the probability of each class.

    Needs ``ampeld[onnx]``. The model has one input of shape (any, number of features) and gives for each row one number
    per class, or the mapping from class to number that scikit-learn's converters make.

    Parameters
    ----------
    model
        The model's file, relative to the channel file.
    features
        ``Unit.key`` for each column of the input in the model's order; ``Unit.key.key`` for what lies deeper. A flag is
        1 or 0.
    classes
        Names of the classes in the model's order; none: the names that the model gives itself, or their numbers.
    units
        By name of a unit: its parameters; without, its defaults.
    fill
        What stands for a missing value; none: NaN, which trees understand.
    output
        Which of the model's outputs; none: ``probabilities``, or the last.
    activation
        What makes probabilities of the output: ``softmax`` or ``sigmoid`` for raw scores.

    Notes
    -----
    With one number and two classes, that is the second's. The digest is BLAKE2b of the file, 16 bytes.
    """

    values: ClassVar[tuple[Value, ...]] = (
        Value("probabilities", "", "by class: its probability", "table"),
        Value("class", "", "the most probable class, the first of equals", "text"),
        Value("probability", "", "its probability"),
        Value("missing", "", "features that had no value", "list"),
        Value("model", "", "the model's file", "text"),
        Value("model_digest", "", "BLAKE2b of the model's file, 16 bytes in hexadecimal", "text"),
    )

    model: str
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    units: dict[str, dict[str, Any]] = {}  # noqa: RUF012  a parameter's default, never written to
    fill: float | None = None
    output: str | None = None
    activation: Literal["none", "softmax", "sigmoid"] = "none"

    def prepare(self) -> None:
        """Look at the features."""
        if find_spec("onnxruntime") is None:
            raise ValueError("onnxruntime is not installed: pip install 'ampeld[onnx]'")
        if not self.features:
            raise ValueError("features: none is given; a list of texts like 'RiseDecline.t_lc' is wanted")
        self._features: Sequence[Feature] = [parse_feature(text) for text in self.features]
        self._names = unit_names(self._features)
        if unused := set(self.units) - set(self._names):
            raise ValueError(f"units: no feature is of {', '.join(sorted(unused))}")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes: two have one name")

    def dependencies(self) -> tuple[Dependency, ...]:
        """Build upon each unit that a feature names."""
        return tuple(Dependency(name, self.units.get(name, {})) for name in self._names)

    def needs(self) -> Iterator[tuple[Literal["catalog", "file", "path"], str]]:
        """Yield the model's file."""
        yield "file", self.model

    def open(self, resources: Resources) -> None:
        """Load the model, and see that it takes as many features and gives as many classes.

        Raises
        ------
        ValueError
            It names the parameter that does not suit the model.
        """
        data = resources.read(self.model)
        self._digest = blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
        self._model: Model = open_model(data, len(self.features), self.output)
        given = self._model.scores(np.zeros((1, len(self.features))))
        if self.classes and len(self.classes) != len(given) and (len(self.classes), len(given)) != (2, 1):
            raise ValueError(f"classes: {len(self.classes)} names, and the model gives {len(given)} numbers")

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:  # noqa: ARG002  it is of others' values
        """Return the probabilities."""
        row, missing = vector(self._features, dict(zip(self._names, inputs, strict=True)))
        if len(missing) == len(self.features):
            return Undefined(NO_INPUT, "none of the features has a value")
        if self.fill is not None:
            row = np.where(np.isnan(row), self.fill, row)
        told = {"missing": missing, "model": self.model, "model_digest": self._digest}
        found = self._probabilities(self._model.scores(row[None, :]))
        if not all(np.isfinite(value) for value in found.values()):
            why = Undefined(NOT_FINITE, "the model gives no finite number")
            return {"probabilities": why, "class": why, "probability": why} | told
        best = max(found, key=lambda name: found[name])
        return {"probabilities": found, "class": best, "probability": found[best]} | told

    def _probabilities(self, scores: dict[str, float]) -> dict[str, float]:
        values = np.array(list(scores.values()))
        with np.errstate(over="ignore", invalid="ignore"):
            if self.activation == "sigmoid":
                values = 1 / (1 + np.exp(-values))
            elif self.activation == "softmax":
                values = np.exp(values - values.max())
                values /= values.sum()
        if len(self.classes) == 2 and len(values) == 1:
            values = np.array((1 - values[0], values[0]))
        return dict(zip(self.classes or scores, values.tolist(), strict=True))
