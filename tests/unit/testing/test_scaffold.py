"""A new channel works as it is written: it loads, its test passes, and nothing that is there is overwritten."""

import os
import subprocess
import sys

import pytest

from ampeld.daemon.channels import load_channels
from ampeld.errors import ConfigError
from ampeld.testing import run_channel
from ampeld.testing.scaffold import write_channel


def test_a_new_channel_passes_its_own_test_under_plain_pytest(tmp_path):
    paths = write_channel("bright_new", tmp_path / "channels", "ztf")
    assert [path.name for path in paths] == ["bright_new.toml", "bright_new.py", "test_bright_new.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(paths[2])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AMPELD_", "PYTEST"))}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout


def test_a_new_channel_of_lsst_loads_and_knows_its_cuts(tmp_path):
    path, *_ = write_channel("rubin", tmp_path, "lsst")
    (channel,) = load_channels(tmp_path, "lsst")
    assert channel.name == "rubin"
    assert list(run_channel(path, []).cuts) == ["positive", "real", "bright", "plane", "twice"]


def test_nothing_is_written_over_what_is_there(tmp_path):
    (tmp_path / "bright.py").write_text("mine")
    with pytest.raises(ConfigError, match=r"bright\.py: is there already"):
        write_channel("bright", tmp_path, "ztf")
    assert (tmp_path / "bright.py").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["bright.py"]


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a/b", "ä", "x" * 65])
def test_a_name_that_no_module_can_have_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot name a channel"):
        write_channel(name, tmp_path, "ztf")
    assert not list(tmp_path.iterdir())
