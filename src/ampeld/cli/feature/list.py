"""`ampeld feature list`: every unit there is, and what its values mean."""

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, make_table, print_json, warn
from ampeld.testing.describe_units import list_units


def list_(*, config: ConfigOption = None, sets: SetOption = None, as_json: JsonOption = False) -> None:
    """List the units that channels can ask for: built in, of installed packages, and of the channels' directory.

    With --json it is a catalogue for programs: of each unit its kind, its parameters with type, default and meaning,
    its values with unit and description, and what it builds upon.

    Try:

      ampeld feature list

      ampeld feature list --json | jq '.[] | select(.kind == "state") | .unit'

    Exit codes: 0 listed, 78 configuration.
    """
    settings = settings_for(config, sets)
    units = list_units(settings.channels.directory)
    if as_json:
        print_json(units)
        return
    rows = [
        (
            one.unit,
            one.kind,
            "behind" if one.slow else "in the flow",
            len(one.values),
            ", ".join(dict.fromkeys(d.unit for d in one.dependencies or ())),
            one.summary if one.problem is None else f"cannot be used: {one.problem}",
        )
        for one in units
    ]
    console().print(make_table("Units", ("unit", "of a", "measured", "#values", "builds upon", "what it is"), rows))
    if broken := [one.unit for one in units if one.problem is not None]:
        warn(f"{', '.join(broken)}: cannot be used; see `ampeld feature show`")
