"""The unit file is one that systemd takes, and locks the daemon in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "ampeld@.service"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Return an instance of the unit whose ExecStart names what is installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    path = tmp_path / "ampeld@test.service"
    path.write_text(UNIT.read_text().replace("/opt/ampeld/bin/ampeld", str(Path(sys.executable).with_name("ampeld"))))
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_accepts_the_unit(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr


def test_the_daemon_is_locked_in(unit: Path) -> None:
    done = analyze("security", "--offline=true", str(unit))
    exposure = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= 1.5


def test_exit_codes_that_no_restart_mends_prevent_one() -> None:
    assert "RestartPreventExitStatus=64 73 77 78" in UNIT.read_text()
