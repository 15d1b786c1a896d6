"""The author's bench: try a channel on alerts and test it with pytest, by the daemon's own judging.

>>> from ampeld.testing import run_channel
>>> run = run_channel("rapid", "sim:1:500")
>>> run.assert_pass_fraction(below=0.02)
"""

from ampeld.testing.kit import assert_accepts, assert_no_errors, assert_pass_fraction, assert_rejects, run_channel
from ampeld.testing.run import Run

__all__ = ["Run", "assert_accepts", "assert_no_errors", "assert_pass_fraction", "assert_rejects", "run_channel"]
