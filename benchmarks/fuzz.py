"""The claim "no packet crashes the kernel or is judged differently by it": a million damaged alerts by default.

Simulated ZTF alerts and made-up LSST alerts, without cutouts, are damaged at random: bits and bytes changed, pieces
left out, doubled or cut off, extreme numbers written. All go through the kernel in batches, what is valid is read in
every way, the walker confirms what is refused, and a part goes through the oracle too, which must give the same
verdicts, reasons and values.
With ``--sanitized`` the kernel is built with the address and undefined-behaviour sanitizers of gcc first.

    python benchmarks/fuzz.py --number 1000000 --seed 7
    python benchmarks/fuzz.py --sanitized --quick
"""

import argparse
import json
import os
import random
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1] / "tests")  # and not here, where `support` is something else

NUMBER, QUICK = 1_000_000, 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=NUMBER, help=f"damaged alerts, {NUMBER} by default")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} of them: under a minute")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="printed; the same gives the same")
    parser.add_argument("--compare", type=float, default=0.05, help="part that the oracle judges too, 0 to 1")
    parser.add_argument("--sanitized", action="store_true", help="build the kernel with sanitizers (needs gcc)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    number = QUICK if options.quick else options.number
    if options.sanitized:
        from support import sanitized  # noqa: PLC0415

        arguments = [argument for argument in sys.argv[1:] if argument != "--sanitized"]
        sys.exit(sanitized.run([__file__, *arguments]).returncode)

    from support.fuzz import fuzz  # noqa: PLC0415  behind the choice of the kernel

    def tell(done: int) -> None:
        if not options.json and sys.stderr.isatty():
            print(f"\r{done:,} of {number:,}", end="\n" if done == number else "", file=sys.stderr, flush=True)

    if not options.json:
        print(f"seed {options.seed}", flush=True)
    found = fuzz(number, options.seed, compare=options.compare, tell=tell)
    if options.json:
        result = {"packets": found.packets, "valid": found.valid, "compared": found.compared, "seconds": found.seconds}
        print(json.dumps({"seed": options.seed, "sanitized": "libasan" in os.environ.get("LD_PRELOAD", ""), **result}))
    else:
        print(f"{found.packets:,} packets, {found.valid:,} of them valid, {found.compared:,} compared with the oracle")
        print(f"no crash, no difference, {found.seconds:.0f} s")


if __name__ == "__main__":
    main()
