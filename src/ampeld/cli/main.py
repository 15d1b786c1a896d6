"""The entry point: finds the command, and turns every expected error into a line and an exit code."""

import gc
import importlib
import os
import signal
import sys
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ampeld import __version__
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.lock import InstanceRunningError
from ampeld.errors import AccessDeniedError, AmpeldError, ConfigError, InvariantError, PoisonError, RetryableError

COMMANDS = (
    "run",
    "ingest",
    "check",
    "channel",
    "catalog",
    "feature",
    "explain",
    "show",
    "why",
    "status",
    "ledger",
    "deadletter",
    "object",
    "purge",
    "seek",
    "simulate",
    "servers",
    "demo",
)

_CLICK_USAGE = 2

_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (ConfigError, ExitCode.CONFIG),
    (InstanceRunningError, ExitCode.LOCKED),
    (RetryableError, ExitCode.UNAVAILABLE),
    (InvariantError, ExitCode.INTERNAL),
    (PoisonError, ExitCode.DATA),
    (AmpeldError, ExitCode.FAILED),
    (PermissionError, ExitCode.PERMISSION),
    (OSError, ExitCode.IO),
)


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for: ``ampeld status`` need not load a Kafka client."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order in which a user meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        found = getattr(_import(f"ampeld.cli.{cmd_name}"), cmd_name)
        return typer.main.get_command(found if isinstance(found, typer.Typer) else _single(found))


def _import(name: str) -> ModuleType:
    """Import a module, and look for cycles only afterwards: a thousand modules make many objects, and all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if was_on:
            gc.enable()


def _single(function: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    app.command(function.__name__)(function)
    return app


app = typer.Typer(
    name="ampeld",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"ampeld {__version__}")
        raise typer.Exit


@app.callback(
    help="An alert broker: astronomical alerts from Kafka, judged by channels, stored once each in MongoDB.",
    epilog="Every command explains itself: `ampeld run --help`. A whole night in two minutes: `make demo`.",
)
def ampeld(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    del version


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        typer.main.get_command(app).main(args=arguments, prog_name="ampeld")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else ExitCode.OK
        return ExitCode.USAGE if code == _CLICK_USAGE else code
    except BrokenPipeError:
        sys.stdout = None  # the reader has gone; nothing is left to flush to
        return ExitCode.FAILED
    except (AmpeldError, OSError) as error:
        return _report(error)
    return ExitCode.OK


def _report(error: Exception) -> int:
    lines = error.problems if isinstance(error, ConfigError) else [f"ampeld: {error}"]
    for line in lines:
        typer.echo(line, err=True)
    if _is_refusal(error):
        return ExitCode.PERMISSION
    return next(code for kind, code in _CODES if isinstance(error, kind))


def _is_refusal(error: Exception) -> bool:
    from ampeld.store.errors import StoreUnavailableError  # noqa: PLC0415  --version needs no client of a server

    return isinstance(error, AccessDeniedError) or (isinstance(error, StoreUnavailableError) and error.refused)


def main() -> None:
    """Run the command line.

    A daemon that is told to stop while its modules are still being loaded has taken nothing and is done.
    What is left at the end is not looked through for cycles: it ends with the process.
    """
    if sys.argv[1:2] == ["run"]:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(ExitCode.OK))
    code = run_command(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
