"""One process for each instance name on a host: a lock that the kernel lets go of when its holder dies."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ampeld.errors import AmpeldError


class InstanceRunningError(AmpeldError):
    """Another process runs under this name: exit 73."""


def lock_path(instance: str, environ: Mapping[str, str]) -> Path:
    """Return where the lock of an instance lies: in systemd's ``RuntimeDirectory``, else in the user's own one."""
    runtime = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if runtime:
        return Path(runtime, f"{instance}.lock")
    own = environ.get("XDG_RUNTIME_DIR", "")
    if own and os.access(own, os.W_OK):
        return Path(own, f"ampeld-{instance}.lock")
    return Path(tempfile.gettempdir(), f"ampeld-{os.getuid()}-{instance}.lock")


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs, and leave no file behind.

    Raises
    ------
    InstanceRunningError
        If another process holds it; the message names its pid.
    """
    descriptor = _acquire(path)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)  # STRICTLY BEFORE the lock is let go: who waits for it must find the name gone
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """Return the process that holds a lock, None where nobody does.

    Only a lock that belongs to the owner of that process counts, so that nobody can lead us to somebody else's.

    Raises
    ------
    PermissionError
        If the lock is not ours to read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(ValueError, FileNotFoundError):
            pid = int(os.pread(descriptor, 20, 0))
            if Path(f"/proc/{pid}").stat().st_uid == os.fstat(descriptor).st_uid:
                return pid
        return None
    else:
        return None
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW  # nobody leads us elsewhere in a shared directory
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise InstanceRunningError(
                f"another daemon of this instance runs with pid {holder} (lock {path}); give this one --instance NAME"
            ) from None
        if _is_named(path, descriptor):
            return descriptor
        os.close(descriptor)  # its holder removed it between our two steps: a lock that nobody else can find is none


def _is_named(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
