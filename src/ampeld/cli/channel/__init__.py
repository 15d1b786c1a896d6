"""`ampeld channel`: what an author and an operator do with channels, one file per command."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = ("new", "list", "check", "show", "test", "gate", "reload", "resume")
"""The commands, in the order in which a user meets them; each is the function of that name in a module of that name."""


class ChannelGroup(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order in which a user meets them."""
        del ctx
        return [*COMMANDS]  # the module of the command `list` has taken the name of the built-in here

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None where there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ampeld.cli.channel.{cmd_name}")
        found = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")  # list_ hides no built-in name
        single = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        single.command(cmd_name)(found)
        return typer.main.get_command(single)


channel = typer.Typer(cls=ChannelGroup, no_args_is_help=True, rich_markup_mode="markdown")


@channel.callback(help="Write, try, gate and reload channels, and let suspended ones go on.")
def _channel() -> None:
    """Have no options of its own."""
