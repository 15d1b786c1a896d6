"""`ampeld why`: one value traced back to the bytes that it came from."""

from typing import Annotated

import msgspec
import typer

from ampeld.cli.options import ConfigOption, JsonOption, SetOption, settings_for
from ampeld.cli.output import console, print_json, run_async
from ampeld.cli.told import find_object, meanings_of
from ampeld.story.why import split, trace_back


def why(
    name: Annotated[str, typer.Argument(metavar="OBJECT", help="An object's name.")],
    value: Annotated[
        str, typer.Argument(metavar="UNIT.KEY", help="As in RiseDecline.slope_rise_g, or LCQuality.g.strength.")
    ],
    *,
    feature_config: Annotated[
        int | None,
        typer.Option("--configuration", metavar="ID", help="The unit's configuration, where there are several."),
    ] = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trace one value back: unit, version, parameters, run, state, points, and the alerts that brought them.

    Try:

      ampeld why ZTF25vblecnc RiseDecline.t_lc

    Exit codes: 0 told, 1 there is no such object or value, 69 the store does not answer, 78 configuration.
    """
    settings = settings_for(config, sets)
    found = run_async(find_object(settings, name, alerts=0))
    unit, _ = split(found.told, value)
    meanings = meanings_of(settings, [unit]).get(unit, {})
    traced = trace_back(found.told, found.dossier, value, config=feature_config, meanings=meanings)
    if as_json:
        print_json(msgspec.structs.asdict(traced))
        return
    out = console()
    for line in traced.story:
        out.print(line, markup=False)
