"""`ampeld catalog`: the local catalogues that channels search in, one file per command."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {"import": "import_table", "list": "list_catalogs", "check": "check_catalogs", "cone": "cone_search"}
"""The commands, in the order in which a user meets them, and the module and function of each."""


class CatalogGroup(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order in which a user meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None where there is none."""
        del ctx
        name = COMMANDS.get(cmd_name)
        if name is None:
            return None
        module = importlib.import_module(f"ampeld.cli.catalog.{name}")
        single = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        # a declination may be negative, and is no option for that
        settings = {"ignore_unknown_options": True} if cmd_name == "cone" else None
        single.command(cmd_name, context_settings=settings)(getattr(module, name))
        return typer.main.get_command(single)


catalog = typer.Typer(cls=CatalogGroup, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@catalog.callback(
    help="Import, list, check and search local catalogues: what channels find near an alert with "
    '`a.near("gaia", radius)`.'
)
def _catalog() -> None:
    """Have no options of its own."""
