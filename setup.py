"""The compiled kernel; everything else about the package stands in pyproject.toml."""

import sys

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

# They read the numbers of Avro and BSON as they stand in memory: on a machine that writes them the other way round
# fastavro and the driver decode.
MODULES = ("alert/kernel", "alert/bodies", "alert/packing", "store/repacking") if sys.byteorder == "little" else ()


class OptionalBuild(build_ext):
    """Passes over an extension for whose compiler there is not even a file, as setuptools does over failed builds."""

    def build_extension(self, ext: Extension) -> None:
        """Build one extension."""
        try:
            super().build_extension(ext)
        except OSError as error:
            raise CompileError(f"{ext.name}: {error}") from error


extensions = cythonize(
    [
        Extension(f"ampeld.{name.replace('/', '.')}", [f"src/ampeld/{name}.pyx"], extra_compile_args=["-O3", "-g0"])
        for name in MODULES
    ],
    include_path=["src"],
    build_dir="build",
)
for extension in extensions:  # where no compiler is at hand the package installs without them
    extension.optional = True  # said here, because cythonize forgets it

setup(ext_modules=extensions, cmdclass={"build_ext": OptionalBuild})
