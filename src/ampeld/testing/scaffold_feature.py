"""A new unit to begin with: its module and a test that passes."""

from pathlib import Path
from string import Template
from typing import Final

from ampeld.errors import ConfigError
from ampeld.testing.scaffold import class_of, is_module_name, write_texts

_MODULE: Final = Template('''\
"""What this measures, in one line."""

from typing import ClassVar

import numpy as np

from ampeld.feature import LightCurve, StateUnit, Undefined, Value
from ampeld.feature.unit import Measured


class $cls(StateUnit):
    """The change of brightness from the first to the last detection of a band.

    Parameters
    ----------
    band
        Of which band.
    min_days
        The time between the two that is needed at least [d].
    """

    version: ClassVar[str] = "1"  # raise it when the values come to mean something else: all is measured anew then
    values: ClassVar[tuple[Value, ...]] = (
        Value("n", "", "detections in the band, brighter than the reference", "integer"),
        Value("days", "d", "time from the first to the last of them"),
        Value("slope", "mag / d", "change of magnitude with time; below 0 it brightens"),
        Value("slope_err", "mag / d", "its standard error"),
    )

    band: str = "r"
    min_days: float = 0.5

    def measure(self, light_curve: LightCurve) -> Measured:
        """Return the values, or why there are none."""
        points = light_curve.select(light_curve.is_detection & light_curve.positive).in_band(self.band)
        if len(points) < 2:
            return {"n": len(points), "slope": Undefined("too_few_points", f"{len(points)} of 2")}
        days = float(points.jd[-1] - points.jd[0])
        if days < self.min_days:
            return {"n": len(points), "days": days, "slope": Undefined("equal_times", f"{days:.2f} d")}
        error = float(np.hypot(points.mag_err[0], points.mag_err[-1])) / days
        return {
            "n": len(points),
            "days": days,
            "slope": float(points.mag[-1] - points.mag[0]) / days,
            "slope_err": error if np.isfinite(error) else Undefined("no_error"),
        }
''')

_TEST: Final = Template('''\
"""The unit $cls on a simulated night, and on a light curve whose slope is known."""

from pathlib import Path

import pytest

from ampeld.testing import UnitResults, run_unit

UNIT = f"{Path(__file__).with_name('$name.py')}:$cls"


@pytest.fixture(scope="module")
def night() -> UnitResults:
    """Return what the unit makes of the objects of 200 simulated alerts."""
    return run_unit(UNIT, "sim:1:200", {"min_days": 0.1})


def test_it_fails_on_no_object(night: UnitResults) -> None:
    """Show the traceback if it does."""
    night.assert_no_errors()


def test_every_value_says_what_it_is(night: UnitResults) -> None:
    """Name the keys that `values` lacks."""
    night.assert_described()


def test_the_slope_is_that_of_the_first_and_the_last_detection(night: UnitResults) -> None:
    """Measure it anew from the points themselves."""
    name, body = next((name, body) for name, body in night.bodies().items() if body["slope"] is not None)
    points = [body for _, _, _, body in night[name].state.points]
    red = sorted(
        (p["jd"], p["magpsf"]) for p in points if p.get("magpsf") and p["fid"] == 2 and p["isdiffpos"] in ("t", "1")
    )
    (first, bright), (last, faint) = red[0], red[-1]
    assert body["slope"] == pytest.approx((faint - bright) / (last - first))
''')

_ASK: Final = Template("""\
[[feature]]
unit = "$name.py:$cls"
params = { band = "r" }
""")


def write_unit(name: str, directory: Path) -> list[Path]:
    """Write ``<name>.py`` and ``test_<name>.py``, and return them.

    Parameters
    ----------
    name
        A letter, then letters, digits and underscores.
    directory
        The channels' directory; made if it is missing.

    Raises
    ------
    ConfigError
        If the name is none, or one of the files is there: nothing is written then.
    """
    if not is_module_name(name):
        raise ConfigError([f"{name!r} cannot name a unit's module: a letter, then letters, digits and _"])
    values = {"name": name, "cls": class_of(name)}
    texts = {
        directory / f"{name}.py": _MODULE.substitute(values),
        directory / f"test_{name}.py": _TEST.substitute(values),
    }
    return write_texts(texts)


def how_to_ask(name: str) -> str:
    """Return what a channel file says to have it measured."""
    return _ASK.substitute(name=name, cls=class_of(name))
