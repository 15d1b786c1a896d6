"""From the words ``rapid.py:Rapid`` or ``package.module:Class`` to a filter class, every mistake named by its line."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ampeld.channel import Filter
from ampeld.channel.names import did_you_mean
from ampeld.channel.params import ParameterError, build
from ampeld.errors import AmpeldError


class FilterError(AmpeldError):
    """The words name no filter; ``source`` is the file and line where they go wrong, None when it is the words."""

    def __init__(self, message: str, source: str | None = None) -> None:
        super().__init__(message)
        self.source = source


class FilterLoader:
    """Finds filter classes; each file is executed once, whatever the number of channels that name it.

    Parameters
    ----------
    directory
        The channels' directory: files are looked for there and nowhere else.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._modules: dict[Path, ModuleType] = {}

    def find(self, words: str) -> type[Filter]:
        """Return the class.

        Raises
        ------
        FilterError
            If there is none, it is no filter, or its module cannot be executed.
        """
        place, colon, name = words.rpartition(":")
        if not colon or not place or not name.isidentifier():
            raise FilterError(f"{words!r} is neither 'file.py:Class' nor 'package.module:Class'")
        module = self._file(place) if place.endswith(".py") else _package(place)
        found = getattr(module, name, None)
        if found is None:
            near = did_you_mean(name, [key for key, value in vars(module).items() if _is_filter(value)])
            raise FilterError(f"{place} has no class {name!r}{near}")
        if not _is_filter(found):
            raise FilterError(f"{words!r} is no filter: it does not derive from ampeld.channel.Filter")
        return found  # type: ignore[no-any-return]  # it was looked at

    def _file(self, place: str) -> ModuleType:
        path = (self._directory / place).resolve()
        if not path.is_relative_to(self._directory.resolve()):
            raise FilterError(f"{place!r} lies outside the channels' directory {self._directory}")
        if not path.is_file():
            near = did_you_mean(place, [file.name for file in self._directory.glob("*.py")])
            raise FilterError(f"there is no file {place!r} beside the channel file{near}")
        if path not in self._modules:
            self._modules[path] = _execute(path, self._directory / place)
        return self._modules[path]


def make(cls: type[Filter], params: dict[str, Any]) -> Filter:
    """Return the filter with its parameters.

    Raises
    ------
    ParameterError
        If any parameter is wrong.
    FilterError
        If the filter's own code fails on them.
    """
    try:
        return build(cls, params)
    except ParameterError:
        raise
    except (Exception, SystemExit) as error:  # science code: prepare() is the author's
        raise FilterError(_plain(error), _where(error, Path(inspect.getfile(cls)))) from error


def source_digest(cls: type[Filter], *more: bytes) -> str:
    """Return 16 hexadecimal digits that change with the source of a filter and of those that it derives from."""
    digest = hashlib.sha256()
    bases = [base for base in cls.__mro__ if issubclass(base, Filter) and base is not Filter]
    for text in (*more, *(Path(inspect.getfile(base)).read_bytes() for base in bases)):
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()[:16]


class _Loader(SourceFileLoader):
    """Always compiles the source: a cached one may be stale, and nothing is to be written beside a channel."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _is_filter(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Filter) and value is not Filter


def _execute(path: Path, shown: Path) -> ModuleType:
    """Execute a file as a module under a name that nothing else has."""
    name = f"ampeld_channel_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    loader = _Loader(name, str(path))
    module = importlib.util.module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    sys.modules[name] = module  # annotations and data classes look their module up
    try:
        loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise FilterError(_plain(error), _syntax(error, path, shown)) from error
    except (Exception, SystemExit) as error:  # science code: the module is the author's
        del sys.modules[name]
        raise FilterError(_plain(error), _where(error, path, shown)) from error
    return module


def _package(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise FilterError(f"there is no module {place!r}") from error
        raise FilterError(_plain(error), _where(error, None)) from error
    except SyntaxError as error:
        raise FilterError(_plain(error), _syntax(error, None, Path(place))) from error
    except (Exception, SystemExit) as error:  # science code: the module is the author's
        raise FilterError(_plain(error), _where(error, None)) from error


def _plain(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return "".join(traceback.format_exception_only(error)).strip()


def _syntax(error: SyntaxError, path: Path | None, shown: Path) -> str:
    """Return file and line of a syntax error, which may lie in a module that was imported; not all have a line."""
    place = str(shown) if error.filename in (None, str(path)) else error.filename
    return f"{place}:{error.lineno}" if error.lineno is not None else str(place)


def _where(error: BaseException, path: Path | None, shown: Path | None = None) -> str | None:
    """Return file and line of the innermost frame in the file; in any source file when none is given."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if (path is None and not frame.filename.startswith("<")) or frame.filename == str(path):
            return f"{shown or frame.filename}:{frame.lineno}"
    return None
