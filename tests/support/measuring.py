"""Units that misbehave, in files beside a channel, and cases for them: for tests of what measures."""

from collections.abc import Sequence

from support.isolation import GOOD, HEAD

from ampeld.daemon.files import ChannelFiles
from ampeld.feature.work import Case, Job

UNITS = """
import ctypes, os, sys, time
from ampeld.feature import Dependency, StateUnit, Undefined, Value

class Count(StateUnit):
    values = (Value("n", "", "points"),)
    def measure(self, light_curve):
        return {"n": len(light_curve)}

class Twice(StateUnit):
    values = (Value("n", "", "twice the points"),)
    def dependencies(self):
        return (Dependency("units.py:Count"),)
    def measure(self, light_curve, count):
        return {"n": 2 * count["n"]}

class Bad(StateUnit):
    what: str
    at: int = 0
    values = (Value("n", "", "points"),)
    def open(self, resources):
        if self.what == "unopened":
            resources.read("model.bin")
        self.kept = []
    def measure(self, light_curve):
        if self.at and len(light_curve) != self.at:
            return {"n": len(light_curve)}
        if self.what == "raise":
            raise ValueError("no such star")
        if self.what == "loop":
            while True: pass
        if self.what == "sleep":
            time.sleep(3600)
        if self.what == "crash":
            ctypes.string_at(0)
        if self.what == "exit":
            os._exit(3)
        if self.what == "interrupt":
            raise KeyboardInterrupt
        if self.what == "nan":
            return {"n": float("nan")}
        if self.what == "huge":
            return {"n": "x" * 10_000_000}
        if self.what == "object":
            return {"n": object()}
        if self.what == "leak":
            self.kept.append(bytearray(12 << 20))
        if self.what == "eat":
            return {"n": len(bytearray(1 << 30))}
        if self.what == "print":
            print("so many points")
        return {"n": len(light_curve)}
"""


def wants(name: str, *features: tuple[str, str], units: str = UNITS) -> ChannelFiles:
    """Return a channel that wants these units of `UNITS` measured: each a name with its parameters as a TOML table."""
    text = f'filter = "{name}.py:It"\ncontact = "{name}@example.org"\naccess = ["ZTF_PUB"]\n'
    text += "".join(f'[[feature]]\nunit = "units.py:{unit}"\nparams = {params}\n' for unit, params in features)
    return ChannelFiles(name, f"/channels/{name}.toml", text, {f"{name}.py": HEAD + GOOD, "units.py": units})


def case_of(points: int, jobs: Sequence[Job]) -> Case:
    """Return a case with so many points, nights apart."""
    body = {"magpsf": 18.5, "sigmapsf": 0.1, "fid": 1, "isdiffpos": "t", "diffmaglim": 20.0}
    return Case("ztf", 7, [(i, 2460000.5 + i, ("ZTF",), body | {"jd": 2460000.5 + i}) for i in range(points)], jobs)
