"""The edge to onnxruntime: a model from bytes, and its scores as numbers by class."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ampeld.names import did_you_mean

_TYPES: Final = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_USUAL: Final = ("probabilities", "output_probability")


class Model:
    """A model with one input; `open_model` makes it."""

    def __init__(self, session: Any, output: str) -> None:
        self._session = session
        self._output = output
        (self._input,) = session.get_inputs()

    def scores(self, rows: NDArray[np.float64]) -> dict[str, float]:
        """Return for the one row of shape (1, n) the number of each class, by the model's own names or by position.

        Raises
        ------
        ValueError
            If it does not run, or the output is neither numbers nor a mapping from class to number.
        """
        with np.errstate(over="ignore"):  # what a float32 cannot hold is an infinity to the model
            given = rows.astype(_TYPES[self._input.type])
        try:
            (found,) = self._session.run([self._output], {self._input.name: given})
        except Exception as error:
            raise ValueError(f"model: onnxruntime cannot run it: {error}") from error
        if isinstance(found, list) and found and isinstance(found[0], Mapping):
            return {str(name): float(value) for name, value in found[0].items()}
        try:
            values = np.asarray(found, dtype=np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise ValueError(f"output: {self._output!r} holds no numbers: {error}") from error
        return {str(i): value for i, value in enumerate(values.tolist())}


def open_model(data: bytes, features: int, output: str | None) -> Model:
    """Return the model, run by one thread.

    Parameters
    ----------
    data
        The file.
    features
        How many columns the input is to have.
    output
        Which output; None: the usual name of probabilities, or the last.

    Raises
    ------
    ValueError
        It names the parameter that does not suit the model.
    """
    import onnxruntime  # noqa: PLC0415  a tenth of a second that other units need not pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a row is too little work to share
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ValueError(f"model: onnxruntime cannot read it: {error}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in _TYPES:
        told = ", ".join(f"{one.name}: {one.type}" for one in inputs)
        raise ValueError(f"model: one input of type float or double is wanted, it has {told or 'none'}")
    shape = inputs[0].shape
    if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != features):
        raise ValueError(f"features: {features} are given, and the model's input has the shape {shape}")
    return Model(session, _output_of([one.name for one in session.get_outputs()], output))


def _output_of(names: list[str], wanted: str | None) -> str:
    if wanted is None:
        return next((name for name in _USUAL if name in names), names[-1])
    if wanted not in names:
        raise ValueError(f"output: the model has no {wanted!r}{did_you_mean(wanted, names)}")
    return wanted
