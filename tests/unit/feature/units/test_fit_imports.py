"""Units that fit load what they fit with where channels are loaded, so that no new process pays for it; others do not."""

import subprocess
import sys

CODE = """
import sys
from ampeld.feature.light_curve import LightCurve
from ampeld.feature.units.bazinfit import BazinFit
from ampeld.feature.units.tabulatorrisedecline import TabulatorRiseDecline
from ampeld.feature.units.villarfit import VillarFit

mags = (20.0, 19.5, 19.0, 18.5, 18.2, 18.0, 18.1, 18.3, 18.5, 18.8, 19.1, 19.4, 19.7, 20.0)
bodies = [
    {"jd": 2460000.5 + 2 * i, "magpsf": mag, "sigmapsf": 0.05, "fid": 1, "isdiffpos": "t", "rcid": 1}
    for i, mag in enumerate(mags)
]
curve = LightCurve("ztf", [(i, body["jd"], body) for i, body in enumerate(bodies)])
print("scipy.optimize" in sys.modules)
units = [cls() for cls in (BazinFit, VillarFit, TabulatorRiseDecline)]
made = set(sys.modules)
for unit in units:
    assert unit.measure(curve)
print(sorted(name for name in sys.modules.keys() - made if name.startswith("scipy")))
"""


def test_units_that_fit_load_what_they_need_when_they_are_made_and_no_sooner_nor_later():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n[]\n", done.stderr
