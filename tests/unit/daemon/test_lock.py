"""One process for each instance name; the lock dies with its holder."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ampeld.daemon.lock import InstanceRunningError, hold_lock, holder, lock_path

HOLDER = """
import sys, signal
from pathlib import Path
from ampeld.daemon.lock import hold_lock
with hold_lock(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_a_second_one_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with (
        hold_lock(tmp_path / "a.lock"),
        pytest.raises(InstanceRunningError, match=f"pid {os.getpid()} "),
        hold_lock(tmp_path / "a.lock"),
    ):
        pass


def test_other_instances_do_not_matter(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "a.lock"), hold_lock(tmp_path / "b.lock"):
        pass


def test_the_lock_can_be_had_again(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_lock(tmp_path / "a.lock"):
            pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InstanceRunningError, match=f"pid {holder.pid} "), hold_lock(path):
            pass
        holder.send_signal(signal.SIGKILL)
    with hold_lock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_no_file_is_left(tmp_path: Path) -> None:
    with hold_lock(tmp_path / "a.lock"):
        assert (tmp_path / "a.lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_was_removed_meanwhile_is_locked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.lock"
    really = fcntl.flock

    def remove_once(descriptor: int, how: int) -> None:
        really(descriptor, how)
        monkeypatch.undo()
        path.unlink()

    monkeypatch.setattr(fcntl, "flock", remove_once)
    with hold_lock(path), pytest.raises(InstanceRunningError), hold_lock(path):
        pass


def test_a_link_in_a_shared_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "a.lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"), hold_lock(tmp_path / "a.lock"):
        pass
    assert (tmp_path / "target").read_text() == "precious"


def test_a_service_keeps_its_lock_in_its_runtime_directory(tmp_path: Path) -> None:
    assert lock_path("x", {"RUNTIME_DIRECTORY": "/run/ampeld/x"}) == Path("/run/ampeld/x/x.lock")
    assert lock_path("x", {"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "ampeld-x.lock"
    assert lock_path("x", {}) != lock_path("y", {})


def test_the_holder_of_a_lock_is_known_while_it_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert holder(path) is None
    with hold_lock(path):
        assert holder(path) == os.getpid()
    path.write_text(f"{os.getpid()}\n")  # left behind by one that was killed
    assert holder(path) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_lock_does_not_lead_to_somebody_elses_process(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with hold_lock(path):
        os.chown(path, 12345, 12345)
        assert holder(path) is None
