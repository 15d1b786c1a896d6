"""BrightSNProb: whether a young light curve may be a bright supernova's, by gates and then by a model of the user's."""

import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Final, Literal, cast

import numpy as np

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.reasons import NO_MODEL, NOT_FINITE, OUT_OF_LIMITS
from ampeld.feature.unit import Input, Measured, Resources, Undefined, Value
from ampeld.feature.units.classifier_model import Model, open_model
from ampeld.feature.units.risedecline import RiseDecline
from ampeld.feature.units.risedecline_values import RISE_DECLINE

FEATURES: Final = (
    "mag_det",
    "mag_last",
    "mag_peak",
    "t_lc",
    "t_predetect",
    "rb_med",
    "col_det",
    "col_last",
    "col_peak",
    "distnr_med",
    "magnr_med",
    "classtar_med",
    "sgscore1_med",
    "distpsnr1_med",
    "neargaia_med",
    "maggaia_med",
)
"""What the model is handed, in this order."""
MOST_DETECTIONS: Final = 100
BRIGHTEST: Final = 16.0
"""The brightest first detection [mag]."""
GUESS: Final = 0.5
"""The score above which it is one."""


class BrightSNProb(RiseDecline):
    """Whether a light curve may be a bright supernova's: AMPEL's T2BrightSNProb.

    The body is that of RiseDecline, with its parameters. A light curve passes the gates if it has no gap and is pure,
    has 2 to 100 detections, is not too long nor its last limit too old for their number, and begins fainter than 16
    mag; else ``success`` is false and ``gates`` names what failed. The model then gives the score.

    Parameters
    ----------
    model
        An ONNX file, relative to the channel file; needs ``ampeld[onnx]``. It has one input of shape (any, 16): the
        ``features`` in their order, NaN for what is missing. Of its last output, or of ``probabilities``, the last
        number is the score.

    Notes
    -----
    Source: Ampel-HU-astro 1b41bce, T2BrightSNProb, gates and features. AMPEL: the score comes from trees written into
    the code, and 0.5 stands for "not computed"; here: from the user's model, and without one, or where a gate fails,
    ``SNGuess`` and ``SNGuessBool`` are null with a reason.
    """

    version: ClassVar[str] = "1"
    values: ClassVar[tuple[Value, ...]] = (
        *RISE_DECLINE,
        Value("gates", "", "the gates that the light curve failed", "list"),
        Value("features", "", "the model's input: " + ", ".join(FEATURES), "list"),
        Value("SNGuess", "", "the model's score"),
        Value("SNGuessBool", "", "1 if the score is above 0.5, else 0", "integer"),
    )

    model: str | None = None

    def prepare(self) -> None:
        """Look at the parameters."""
        super().prepare()
        self._model: Model | None = None
        if self.model is not None and find_spec("onnxruntime") is None:
            raise ValueError("model: onnxruntime is not installed: pip install 'ampeld[onnx]'")

    def needs(self) -> Iterator[tuple[Literal["catalog", "file", "path"], str]]:
        """Yield the model's file."""
        if self.model is not None:
            yield "file", self.model

    def open(self, resources: Resources) -> None:
        """Load the model.

        Raises
        ------
        ValueError
            If it is none, or does not take the features.
        """
        if self.model is not None:
            self._model = open_model(resources.read(self.model), len(FEATURES), None)

    def measure(self, light_curve: LightCurve, *inputs: Input) -> Measured:
        """Return what is told of rise and decline, and the score."""
        told = super().measure(light_curve, *inputs)
        assert isinstance(told, Mapping)
        if not told["success"]:
            return told
        failed = list(failed_gates(told))
        row = [_number(told[name]) for name in FEATURES]
        shown = {"gates": failed, "features": [None if math.isnan(value) else value for value in row]}
        guess = Undefined(OUT_OF_LIMITS, ", ".join(failed)) if failed else self._score(row)
        if isinstance(guess, Undefined):
            return {**told, **shown, "success": not failed, "SNGuess": guess, "SNGuessBool": guess}
        return {**told, **shown, "SNGuess": guess, "SNGuessBool": int(guess > GUESS)}

    def _score(self, row: list[float]) -> float | Undefined:
        if self._model is None:
            return Undefined(NO_MODEL)
        *_, score = self._model.scores(np.array([row])).values()
        return score if math.isfinite(score) else Undefined(NOT_FINITE, "the model gives no finite number")


def failed_gates(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the gates that a light curve does not pass.

    Parameters
    ----------
    told
        RiseDecline's body.
    """
    ndet = cast("int", told["ndet"])
    # Of one time nothing is known about gaps: AMPEL counts that as none.
    if told["bool_hasgaps"] is True:
        yield "bool_hasgaps"
    if not told["bool_pure"]:
        yield "bool_pure"
    if not 2 <= ndet <= MOST_DETECTIONS:
        yield "ndet"
    longest, oldest = _limits_of(ndet)
    if told["t_lc"] > longest:
        yield "t_lc"
    if not _number(told["t_predetect"]) <= oldest:
        yield "t_predetect"
    if told["mag_det"] < BRIGHTEST:
        yield "mag_det"


def _limits_of(ndet: int) -> tuple[float, float]:
    """Return by the number of detections the longest light curve and the oldest limit before it [d]."""
    if ndet <= 2:
        return 3.5, 3.5
    if ndet <= 4:
        return 6.5, 3.5
    return (10.0, 3.5) if ndet <= 6 else (90.0, 10.0)


def _number(value: Any) -> float:
    return math.nan if isinstance(value, Undefined) or value is None else float(value)
