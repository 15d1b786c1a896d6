"""The kernel built with gcc's address and undefined-behaviour sanitizers, and programs run with it."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Final

from Cython.Build import cythonize
from setuptools import Extension

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ROOT / "src" / "ampeld"
MODULES: Final = ("alert.kernel", "alert.bodies", "alert.packing", "store.repacking")
FLAGS: Final = (
    "-O0",  # a third of the time to compile
    "-g0",
    "-fPIC",
    "-shared",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)

_START: Final = """
import importlib.util, pathlib, runpy, sys

folder, *arguments = sys.argv[1:]
for path in sorted(pathlib.Path(folder).glob("*.so")):  # those first that others build upon
    spec = importlib.util.spec_from_file_location(f"ampeld.{path.stem}", path)
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
assert "libasan" in pathlib.Path("/proc/self/maps").read_text()
sys.argv = arguments
runpy.run_path(arguments[0], run_name="__main__")
"""


def missing() -> str | None:
    """Return what is missing for a build, None when all is there."""
    if shutil.which("gcc") is None:
        return "no gcc"
    return None if _library().is_absolute() else "gcc has no libasan"


def build() -> Path:
    """Return the folder with the sanitized modules, made anew when a source has changed."""
    sources = sorted([*SOURCES.glob("*/*.pyx"), *SOURCES.glob("*/*.pxd")])
    digest = hashlib.blake2b(b"".join(path.read_bytes() for path in sources), digest_size=8)
    digest.update(f"{MODULES} {FLAGS} {sys.version}".encode())
    folder = ROOT / "build" / "sanitized" / digest.hexdigest()
    if not folder.is_dir():
        shutil.rmtree(folder.parent, ignore_errors=True)  # builds of former sources
        work = folder.with_name(f"{folder.name}.{os.getpid()}")
        work.mkdir(parents=True)
        with chdir(ROOT):  # what setup.py says, so that the C that the installation was made of is used where it lies
            made = cythonize(
                [Extension(f"ampeld.{name}", [f"src/ampeld/{name.replace('.', '/')}.pyx"]) for name in MODULES],
                include_path=["src"],
                build_dir="build",
                quiet=True,
            )
        compilers = [
            subprocess.Popen(
                [_compiler(), *FLAGS, f"-I{_headers()}", *one.sources, "-o", str(work / f"{name}.so")], cwd=ROOT
            )
            for name, one in zip(MODULES, made, strict=True)
        ]
        if sum(compiler.wait() for compiler in compilers):
            raise RuntimeError("gcc cannot build the kernel with sanitizers")
        work.rename(folder)
    return folder


def run(
    arguments: Sequence[str], *, timeout: float | None = None, capture: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a Python program with the sanitized kernel."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(_library()),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1:allocator_may_return_null=1",  # Python itself leaks by design
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
    }
    command = [sys.executable, "-c", _START, str(build()), *arguments]
    return subprocess.run(command, env=environment, check=False, timeout=timeout, capture_output=capture, text=True)


def _compiler() -> str:
    found = shutil.which("gcc")
    assert found is not None
    return found


def _headers() -> str:
    return sysconfig.get_paths()["include"]


def _library() -> Path:
    """Return where gcc keeps the address sanitizer; a bare name when it has none."""
    asked = subprocess.run([_compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return Path(asked.stdout.strip())
