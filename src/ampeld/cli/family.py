"""A command with commands of its own, each in a module that is imported when it is asked for."""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup


def family(name: str, help_text: str, commands: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> Any:
    """Return the Typer application of a family of commands.

    Parameters
    ----------
    name
        Of the family; its commands lie in the package ``ampeld.cli.<name>``.
    help_text
        What the family is for.
    commands
        By command, in the order in which a user meets them: ``module:function`` in that package.
    settings
        By command: its context settings, where it needs some.
    """

    class Family(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            del ctx
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            del ctx
            if cmd_name not in commands:
                return None
            place, _, function = commands[cmd_name].partition(":")
            module = importlib.import_module(f"ampeld.cli.{name}.{place}")
            single = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            single.command(cmd_name, context_settings=(settings or {}).get(cmd_name))(getattr(module, function))
            return typer.main.get_command(single)

    app = typer.Typer(
        name=name, cls=Family, help=help_text, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown"
    )

    @app.callback(help=help_text)
    def _nothing() -> None:
        """Have no options of its own."""

    return app
