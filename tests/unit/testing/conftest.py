"""A simulated night that the tests of the bench share, and channels to run on it."""

from pathlib import Path

import pytest

from ampeld.demo.simulate import SimulatedNights

SEED, ALERTS = 1, 60

BRIGHT = '''"""Bright."""

from ampeld.channel import Columns, Cuts, Filter


class Bright(Filter):
    """Real and bright.

    Nothing else.
    """

    min_rb: float = 0.5  # real-bogus score, 0 to 1
    max_mag: float  # of the alert itself [mag AB]

    def cuts(self, a: Columns) -> Cuts:
        yield "real", a.rb >= self.min_rb
        yield "bright", a.mag <= self.max_mag
'''


@pytest.fixture(scope="session")
def packets() -> list[bytes]:
    return [alert.packet for alert in SimulatedNights(SEED, ALERTS)]


@pytest.fixture
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a channels' directory beside which a configuration would lie; the test runs there."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "channels"
    directory.mkdir()
    (directory / "bright.py").write_text(BRIGHT)
    write(directory, "bright", max_mag=19.0)
    return directory


def write(directory: Path, name: str, *, words: str = "bright.py:Bright", more: str = "", **params: object) -> Path:
    """Write a channel file."""
    lines = [f'filter = "{words}"', 'contact = "me@example.org"', more, "[params]"]
    path = directory / f"{name}.toml"
    path.write_text("\n".join([*lines, *(f"{key} = {value}" for key, value in params.items())]) + "\n")
    return path
