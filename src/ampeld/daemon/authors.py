"""Authors' modules: executed from their texts once, alone and without a trace, every mistake named by its line."""

import builtins
import hashlib
import importlib
import linecache
import sys
import traceback
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.filters_imports import local_file
from ampeld.errors import AmpeldError


class AuthorCodeError(AmpeldError):
    """An author's code cannot be had; ``source`` is file and line of the mistake, None when it is in the words."""

    def __init__(self, message: str, source: str | None = None) -> None:
        super().__init__(message)
        self.source = source


class ModuleLoader:
    """Executes modules; one of the same text is executed once, whatever the number of channels that name it.

    Nothing is read from the disk but installed packages, and nothing is left behind in ``sys.path``.
    """

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}

    def module(self, place: str, files: ChannelFiles) -> ModuleType:
        """Return the module of a file beside a channel file.

        Raises
        ------
        AuthorCodeError
            If there is none, or it cannot be executed.
        """
        if place not in files.modules:
            raise AuthorCodeError(files.missing.get(place, f"there is no file {place!r} beside the channel file"))
        lines = dict(linecache.cache)
        try:
            return self._execute(place, files)
        except SyntaxError as error:
            linecache.cache.update({name: lines[name] for name in _shown(files) if name in lines})
            raise AuthorCodeError(plain(error), _syntax(error, files.shown(place))) from error
        except (Exception, SystemExit) as error:  # science code: the module is the author's
            place_of_error = where(error, _shown(files))
            # What still runs from an earlier text keeps its lines.
            linecache.cache.update({name: lines[name] for name in _shown(files) if name in lines})
            raise AuthorCodeError(plain(error), place_of_error) from error

    def beside(self, place: str, files: ChannelFiles) -> ModuleType:
        """Return a module that another one imports from beside it."""
        return self._execute(place, files)

    def _execute(self, place: str, files: ChannelFiles) -> ModuleType:
        """Execute a file as a module under a name that nothing else has."""
        shown = files.shown(place)
        name = f"ampeld_channel_{Path(place).stem}_{_digest(shown, files.modules)}"
        if name in self._modules:
            return self._modules[name]
        source = files.modules[place]
        linecache.cache[shown] = (len(source), None, source.splitlines(keepends=True), shown)
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, origin=shown)
        module.__file__ = shown
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _Importer(self, place, files)}
        sys.modules[name] = self._modules[name] = module  # annotations and data classes look their module up
        try:
            exec(compile(source, shown, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  it is a module
        except BaseException:
            del sys.modules[name], self._modules[name]
            raise
        return module


class _Importer:
    """The import statement as one module sees it: files beside it come before what is installed."""

    def __init__(self, loader: ModuleLoader, place: str, files: ChannelFiles) -> None:
        self._loader = loader
        self._place = place
        self._files = files

    def __call__(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  as the import statement calls it
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 1 and not name:
            package = ModuleType(f"beside {self._place}")
            for wanted in fromlist or ():
                setattr(package, wanted, self._beside(wanted, required=True))
            return package
        found = self._beside(name, required=level == 1) if level <= 1 else None
        return builtins.__import__(name, globals, locals, fromlist or (), level) if found is None else found

    def _beside(self, name: str, *, required: bool) -> ModuleType | None:
        place = local_file(name, self._place)
        if place is not None and place in self._files.modules:
            return self._loader.beside(place, self._files)
        if required:
            raise ModuleNotFoundError(f"there is no file {name}.py beside {self._place}", name=name)
        return None


def _digest(shown: str, modules: Mapping[str, str]) -> str:
    texts = [text for item in sorted(modules.items()) for text in item]
    return hashlib.sha256("\0".join([shown, *texts]).encode()).hexdigest()[:8]


def _shown(files: ChannelFiles) -> list[str]:
    return [files.shown(name) for name in files.modules]


def package(place: str) -> ModuleType:
    """Return an installed module.

    Raises
    ------
    AuthorCodeError
        If there is none, or it cannot be imported.
    """
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise AuthorCodeError(f"there is no module {place!r}") from error
        raise AuthorCodeError(plain(error), where(error, None)) from error
    except SyntaxError as error:
        raise AuthorCodeError(plain(error), _syntax(error, place)) from error
    except (Exception, SystemExit) as error:  # science code: the module is the author's
        raise AuthorCodeError(plain(error), where(error, None)) from error


def plain(error: BaseException) -> str:
    """Return an error as the last line of its traceback."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return "".join(traceback.format_exception_only(error)).strip()


def _syntax(error: SyntaxError, place: str) -> str:
    """Return file and line of a syntax error, which may lie in a module that was imported; not all have a line."""
    where = error.filename or place
    return f"{where}:{error.lineno}" if error.lineno is not None else where


def where(error: BaseException, among: list[str] | None) -> str | None:
    """Return file and line of the innermost frame in one of the files; in any source file when none are given."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if (among is None and not frame.filename.startswith("<")) or (among and frame.filename in among):
            return f"{frame.filename}:{frame.lineno}"
    return None
