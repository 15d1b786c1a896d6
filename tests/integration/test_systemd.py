"""The unit files are such as systemd takes, and lock in what they run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DIRECTORY = Path(__file__).parents[2] / "deploy" / "systemd"
COMMAND = Path(sys.executable).with_name("ampeld")


@pytest.fixture
def instances(tmp_path: Path) -> Path:
    """Return a directory with an instance of every unit, whose ExecStart names what is installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for unit in DIRECTORY.iterdir():
        text = unit.read_text().replace("/opt/ampeld/bin/ampeld", str(COMMAND))
        (tmp_path / unit.name.replace("@", "@test")).write_text(text)
    return tmp_path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("unit", ["ampeld@test.service", "ampeld-purge@test.service", "ampeld-purge@test.timer"])
def test_systemd_accepts_the_unit(instances: Path, unit: str) -> None:
    done = analyze("verify", str(instances / unit))
    assert done.returncode == 0, done.stderr
    assert unit not in done.stderr


@pytest.mark.parametrize("unit", ["ampeld@test.service", "ampeld-purge@test.service"])
def test_what_runs_is_locked_in(instances: Path, unit: str) -> None:
    done = analyze("security", "--offline=true", str(instances / unit))
    exposure = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= 1.5


def test_exit_codes_that_no_restart_mends_prevent_one() -> None:
    assert "RestartPreventExitStatus=64 73 77 78" in (DIRECTORY / "ampeld@.service").read_text()


def test_the_purge_writes_an_archive_of_its_own_by_a_command_that_the_shell_understands(tmp_path: Path) -> None:
    line = next(
        line
        for line in (DIRECTORY / "ampeld-purge@.service").read_text().splitlines()
        if line.startswith("ExecStart=/bin/sh -c ")
    )
    script = line.partition("'")[2].removesuffix("'").replace("$$", "$").replace("%%", "%").replace("%i", "ztf")
    echo = script.replace("exec /opt/ampeld/bin/ampeld", "printf '%s\\n'")
    environment = {"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(tmp_path)}
    done = subprocess.run(["/bin/sh", "-c", echo], env=environment, capture_output=True, text=True, check=True)
    *words, archive = done.stdout.splitlines()
    assert words == ["purge", "--yes", "-c", "/etc/ampeld/ztf.toml", "--archive"]
    assert re.fullmatch(rf"{tmp_path}/\d{{8}}T\d{{6}}\.jsonl\.gz", archive)
