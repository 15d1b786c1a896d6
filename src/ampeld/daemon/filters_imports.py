"""Which files beside it a module imports: found without executing it, and handed out while it is executed."""

import ast
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath


def local_file(module: str, importer: str) -> str | None:
    """Return the file that ``import <module>`` may mean in a file beside it, None where it can mean none.

    A name of the standard library always means the standard library.

    Parameters
    ----------
    module
        As the import statement has it, without leading dots.
    importer
        The importing file, relative to the channels' directory.
    """
    if not module or "." in module or module in sys.stdlib_module_names:
        return None
    return str(PurePosixPath(importer).parent / f"{module}.py")


def imported_files(source: str, importer: str) -> Iterator[str]:
    """Yield the files beside it that a module's import statements may mean, whether they exist or not.

    ``import helper``, ``from helper import x``, ``from .helper import x`` and ``from . import helper`` are looked at,
    wherever they stand.
    """
    for level, module in imports(source):
        if level <= 1 and (name := local_file(module, importer)) is not None:
            yield name


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield (leading dots, name) of every module that a source imports; nothing when it cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.level, node.module
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, alias.name) for alias in node.names)
