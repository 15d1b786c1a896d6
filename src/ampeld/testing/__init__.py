"""The author's bench: try a channel on alerts and test it with pytest, by the daemon's own judging.

>>> from ampeld.testing import run_channel
>>> run = run_channel("rapid", "sim:1:500")
>>> run.assert_pass_fraction(below=0.02)

And try a unit, by the daemon's own measuring.

>>> from ampeld.testing import run_unit
>>> run_unit("RiseDecline", "sim:1:500").assert_no_errors()
"""

from ampeld.testing.feature_kit import UnitResults, run_unit
from ampeld.testing.kit import assert_accepts, assert_no_errors, assert_pass_fraction, assert_rejects, run_channel
from ampeld.testing.run import Run

__all__ = [
    "Run",
    "UnitResults",
    "assert_accepts",
    "assert_no_errors",
    "assert_pass_fraction",
    "assert_rejects",
    "run_channel",
    "run_unit",
]
