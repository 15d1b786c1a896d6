"""A machine that lacks something is told what, and CI notices golden tests that were skipped without need."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SKIPPED = "SKIPPED [3] tests/support/shared.py:17: needs the shared data: /x is not there; set AMPELD_SHARED"


def preflight(python: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(PROJECT / "deploy" / "preflight.sh"), python]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_missing_python_is_named() -> None:
    done = preflight("python9")
    assert done.returncode == 1
    assert "missing: python9" in done.stderr


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    bare = tmp_path / "python"  # a Python without venv, on a machine without libcurl
    bare.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 0 ;; esac\nexit 1\n')
    bare.chmod(0o755)
    done = preflight(str(bare))
    assert done.returncode == 1
    assert "python3-venv" in done.stderr
    assert "libcurl4" in done.stderr


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\ncase "$2" in *python_version*) echo 3.9.1 ;; esac\nexit 1\n')
    old.chmod(0o755)
    assert "is 3.9.1" in preflight(str(old)).stderr


def test_the_demo_keeps_its_bytecode_in_the_environment(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    for made in ("deploy/preflight.sh", "pyproject.toml", "uv.lock", "setup.py", ".venv/bin/uv", ".venv/.installed"):
        (tmp_path / made).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / made).touch()
    ampeld = tmp_path / ".venv" / "bin" / "ampeld"
    ampeld.write_text('#!/bin/sh\necho "bytecode in $PYTHONPYCACHEPREFIX"\n')
    ampeld.chmod(0o755)
    done = subprocess.run(["make", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert f"bytecode in {tmp_path}/.venv/" in done.stdout


@pytest.fixture
def ci(tmp_path: Path) -> Path:
    """Return a project whose `make test` prints what $SAID holds and ends with $CODE."""
    (tmp_path / "project" / ".ci").mkdir(parents=True)
    shutil.copy(PROJECT / ".ci" / "run", tmp_path / "project" / ".ci" / "run")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "make").write_text('#!/bin/sh\necho "$SAID"\nexit $CODE\n')
    (tmp_path / "bin" / "make").chmod(0o755)
    return tmp_path


def run_ci(ci: Path, said: str, code: int = 0) -> int:
    environ = {name: value for name, value in os.environ.items() if name != "AMPELD_SHARED"}
    environ |= {"PATH": f"{ci / 'bin'}:{environ['PATH']}", "SAID": said, "CODE": str(code)}
    return subprocess.run([ci / "project" / ".ci" / "run"], env=environ, check=False, timeout=60).returncode


def test_ci_fails_when_the_tests_do(ci: Path) -> None:
    assert run_ci(ci, "1 failed", 2) == 2


def test_ci_fails_when_golden_tests_were_skipped_though_their_data_is_there(ci: Path) -> None:
    (ci / "shared" / "data").mkdir(parents=True)
    assert run_ci(ci, SKIPPED) == 1
    assert run_ci(ci, "100 passed") == 0


def test_ci_accepts_skipped_golden_tests_where_there_is_no_data(ci: Path) -> None:
    assert run_ci(ci, SKIPPED) == 0
