"""A new unit works as it is written: its test passes, a channel can ask for it, and nothing there is overwritten."""

import os
import subprocess
import sys

import pytest

from ampeld.daemon.channels import load_channels
from ampeld.errors import ConfigError
from ampeld.testing.scaffold_feature import how_to_ask, write_unit

HEAD = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "a@example.org"\n'


def test_a_new_unit_passes_its_own_test_under_plain_pytest(tmp_path):
    paths = write_unit("fast_rise", tmp_path / "channels")
    assert [path.name for path in paths] == ["fast_rise.py", "test_fast_rise.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(paths[1])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AMPELD_", "PYTEST"))}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


def test_a_channel_asks_for_it_as_it_is_told_to(tmp_path):
    write_unit("fast_rise", tmp_path)
    (tmp_path / "a.toml").write_text(HEAD + how_to_ask("fast_rise"))
    (channel,) = load_channels(tmp_path)
    (wanted,) = channel.features
    assert (wanted.recipe.unit, wanted.recipe.params["band"]) == ("fast_rise.py:FastRise", "r")


def test_nothing_is_written_over_what_is_there(tmp_path):
    (tmp_path / "test_decay.py").write_text("mine")
    with pytest.raises(ConfigError, match=r"test_decay\.py: is there already"):
        write_unit("decay", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["test_decay.py"]


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a/b", "ä", "x" * 65])
def test_a_name_that_no_module_can_have_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot name a unit's module"):
        write_unit(name, tmp_path)
    assert not list(tmp_path.iterdir())
