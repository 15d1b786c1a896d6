"""A new channel to begin with: its file, its filter and a test that passes."""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final, Literal

from ampeld.errors import ConfigError

Survey = Literal["ztf", "lsst"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_TOML: Final = Template("""\
# What this channel is after, in one line.
# The name of this file is the name of the channel. `ampeld channel check $name` reads it.

filter = "$name.py:$cls"
contact = "you@example.org"           # whom to tell when the filter fails
$survey$access
on_known = "off"                      # "bypass": take every later alert of an object that was accepted once

[params]                              # what differs from the values in $name.py
max_mag = $max_mag

[gate]                                # what `ampeld channel gate $name` asks of it
max_pass_fraction = 0.2
max_us_per_alert = 50.0

# [[feature]]                         # what to measure of the objects that it accepts; `ampeld feature list`
# unit = "RiseDecline"
""")

_ACCESS: Final[Mapping[Survey, str]] = {
    "ztf": 'access = ["ZTF_PUB"]                  # public data; add "ZTF_PRIV" for the partnership\'s',
    "lsst": 'access = ["LSST"]',
}

_MODULE: Final = Template('''\
"""What this channel is after, in one line."""

from ampeld.channel import Columns, Cuts, Filter


class $cls(Filter):
    """$doc"""

$params

    def cuts(self, a: Columns) -> Cuts:
        """Yield the cuts in their order; an alert passes where the condition is true."""
$cuts
''')

_PARAMS: Final[Mapping[Survey, str]] = {
    "ztf": """\
    min_rb: float = 0.5  # real-bogus score, 0 to 1
    max_mag: float = 20.0  # of the alert itself [mag AB]
    min_gal_lat: float = 10.0  # from the Galactic plane, either side [deg]""",
    "lsst": """\
    min_reliability: float = 0.5  # real-bogus score, 0 to 1
    max_mag: float = 22.0  # of the alert itself [mag AB]
    min_gal_lat: float = 10.0  # from the Galactic plane, either side [deg]""",
}

_CUTS: Final[Mapping[Survey, str]] = {
    "ztf": """\
        yield "positive", a.flux > 0
        yield "real", a.rb >= self.min_rb
        yield "bright", a.mag <= self.max_mag
        yield "plane", abs(a.gal_lat) >= self.min_gal_lat
        yield "star", (a.distpsnr1 > 1.5) | (a.sgscore1 < 0.5)  # [arcsec], and a score: no star of PS1 is so near
        yield "twice", a.detections.jd.span() > 0.01  # [d]: a quarter of an hour, so that it is no asteroid""",
    "lsst": """\
        yield "positive", a.flux > 0
        yield "real", a.reliability >= self.min_reliability
        yield "bright", a.mag <= self.max_mag
        yield "plane", abs(a.gal_lat) >= self.min_gal_lat
        yield "twice", a.detections.jd.span() > 0.01  # [d]: a quarter of an hour, so that it is no asteroid""",
}

_ZTF_TEST: Final = Template('''\
"""The channel $name on a simulated night. Put alerts of your own beside it: `run_channel(CHANNEL, "alerts.tar.gz")`."""

from pathlib import Path

import pytest

from ampeld.testing import Run, run_channel

CHANNEL = Path(__file__).with_name("$name.toml")


@pytest.fixture(scope="module")
def night() -> Run:
    """Return what the channel says of 300 simulated alerts."""
    return run_channel(CHANNEL, "sim:1:300")


def test_it_fails_on_no_alert(night: Run) -> None:
    """Show the traceback if it does."""
    night.assert_no_errors()


def test_it_takes_something_but_not_everything(night: Run) -> None:
    """Keep the share of accepted alerts within what can be looked at."""
    night.assert_pass_fraction(above=0, below=0.5)


def test_an_asteroid_that_was_seen_once_is_rejected(night: Run) -> None:
    """Name a cut to be sure of the reason."""
    night.assert_rejects("ZTF25bqysnwi", cut="twice")
''')

_LSST_TEST: Final = Template('''\
"""The channel $name has no mistakes. Put alerts of your own beside it: `run_channel(CHANNEL, "alerts.tar.gz")`."""

from pathlib import Path

from ampeld.testing import run_channel

CHANNEL = Path(__file__).with_name("$name.toml")


def test_the_channel_has_no_mistakes() -> None:
    """Run it on no alert: its files, its parameters and the names of its cuts."""
    run = run_channel(CHANNEL, [])
    assert list(run.cuts) == ["positive", "real", "bright", "plane", "twice"]
''')

_TESTS: Final[Mapping[Survey, Template]] = {"ztf": _ZTF_TEST, "lsst": _LSST_TEST}


def write_channel(name: str, directory: Path, survey: Survey) -> list[Path]:
    """Write ``<name>.toml``, ``<name>.py`` and ``test_<name>.py``, and return them.

    Parameters
    ----------
    name
        A letter, then letters, digits and underscores: it is the name of a Python file too.
    directory
        The channels' directory; made if it is missing.
    survey
        Whose alerts the channel is to judge.

    Raises
    ------
    ConfigError
        If the name is none, or one of the files is there: nothing is written then.
    """
    if not is_module_name(name):
        raise ConfigError([f"{name!r} cannot name a channel with a module: a letter, then letters, digits and _"])
    values = {
        "name": name,
        "cls": class_of(name),
        "survey": f'survey = "{survey}"\n' if survey != "ztf" else "",
        "access": _ACCESS[survey],
        "max_mag": {"ztf": 19.5, "lsst": 21.0}[survey],
        "doc": {
            "ztf": "Real, bright, no star, and seen more than once.",
            "lsst": "Real, bright, and seen more than once.",
        }[survey],
        "params": _PARAMS[survey],
        "cuts": _CUTS[survey],
    }
    texts = {
        directory / f"{name}.toml": _TOML.substitute(values),
        directory / f"{name}.py": _MODULE.substitute(values),
        directory / f"test_{name}.py": _TESTS[survey].substitute(values),
    }
    return write_texts(texts)


def is_module_name(name: str) -> bool:
    """Tell whether a name can be that of a Python file and of what stands in it."""
    return _NAME.fullmatch(name) is not None


def class_of(name: str) -> str:
    """Return the name of the class for a module of this name: ``fast_rise`` holds ``FastRise``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def write_texts(texts: Mapping[Path, str]) -> list[Path]:
    """Write new files and return their paths.

    Raises
    ------
    ConfigError
        If one of them is there: nothing is written then.
    """
    if there := [path for path in texts if path.exists()]:
        raise ConfigError([f"{path}: is there already; choose another name, or remove it" for path in there])
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
