"""The claim on features in the flow: what the units take that every accepted alert of a young-transient channel needs.

States of thirty points, as the simulator's transients bring them, are measured one after the other by
LightCurveSummary, RiseDecline and YoungTransient in their default configurations: from the stored bodies to settled
result bodies, the light curve made once for all three. Medians over the states, each the best of some rounds. With
--all every built-in unit that needs no input is timed alone. Exits with 1 when the three take more than the claim.

    python benchmarks/features.py
    python benchmarks/features.py --all --json
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from statistics import median

from rich.console import Console
from rich.table import Table

from ampeld.alert.decode import Decoder
from ampeld.daemon.authors import ModuleLoader
from ampeld.daemon.features import UnitFinder
from ampeld.demo.simulate import SimulatedNights
from ampeld.feature.builtin import BUILTIN
from ampeld.feature.unit import StateUnit, Unit
from ampeld.feature.work import Case, Job, measure_case
from ampeld.params import ParameterError

INLINE = ("LightCurveSummary", "RiseDecline", "YoungTransient")
CLAIM_MS = 1.0
POINTS = 30
ROUNDS = 15


def states(count: int, seed: int) -> Iterator[list[tuple[int, float, tuple[str, ...], dict[str, object]]]]:
    """Yield the points of states of thirty points."""
    decoder = Decoder(2 * 2**20)
    for alert in SimulatedNights(seed, 40 * count, objects=4 * count, nights=40):
        table = decoder.decode([alert.packet]).table
        heads = table.heads(0) if len(table) else []
        if len(heads) >= POINTS:
            yield [(h.id, h.jd, h.tag, dict(table.body(0, h.index))) for h in heads[:POINTS]]
            count -= 1
        if not count:
            return


def unit_of(name: str) -> Unit | None:
    """Return a unit with its defaults; None for one that cannot have only these."""
    cls = UnitFinder(ModuleLoader())(name)
    try:
        unit = cls()
    except ParameterError:
        return None
    needy = unit.dependencies() or any(unit.needs())
    return unit if isinstance(unit, StateUnit) and not needy else None


def timed(case: Case, units: dict[tuple[str, int], Unit]) -> float:
    """Return how long a case takes [ms]."""
    began = time.perf_counter()
    failed = [m.error for _, m in measure_case(case, units, time.perf_counter) if m.code]
    if failed:
        raise SystemExit(f"a unit failed:\n{failed[0]}")
    return (time.perf_counter() - began) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="every built-in unit that needs no input, each alone")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    names = sorted(BUILTIN) if options.all else list(INLINE)
    units = {(name, 0): unit for name in names if (unit := unit_of(name)) is not None}
    curves = list(states(options.states, options.seed))
    groups = {"together": INLINE} | {name: (name,) for name, _ in units}
    found = {}
    for what, members in groups.items():
        jobs = [Job(name, 0, "t1", 1) for name in members]
        slow = any(units[name, 0].slow for name in members)
        some = curves[:5] if slow else curves
        cases = [Case("ztf", 1, points, jobs) for points in some]
        found[what] = median(min(timed(case, units) for _ in range(1 if slow else ROUNDS)) for case in cases)
    rows = [(what, ms, CLAIM_MS if what == "together" else None) for what, ms in found.items()]
    if options.json:
        told = [{"what": what, "ms": ms, "claim": claim} for what, ms, claim in rows]
        print(json.dumps({"states": len(curves), "points": POINTS, "rows": told}))
    else:
        table = Table("what", "ms", "asked for", title=f"{len(curves)} states of {POINTS} points, each once")
        table.columns[1].justify = "right"
        for what, ms, claim in rows:
            label = f"{', '.join(INLINE)} together" if what == "together" else what
            table.add_row(label, f"{ms:.3f}", "" if claim is None else f"≤ {claim:g}")
        Console().print(table)
    sys.exit(int(found["together"] > CLAIM_MS))


if __name__ == "__main__":
    main()
