"""`ampeld feature run`: what a unit makes of objects, from files, Kafka, the simulator or the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from ampeld.catalog.directory import open_catalogs
from ampeld.cli.feature.inputs import read_inputs
from ampeld.cli.feature.parameters import typed_parameters
from ampeld.cli.feature.table import print_body
from ampeld.cli.options import ConfigOption, JsonOption, settings_for
from ampeld.cli.output import console, print_json, run_async, warn
from ampeld.cli.progress import reading
from ampeld.cli.stocks import stock_of
from ampeld.daemon.connect import connected
from ampeld.daemon.exits import ExitCode
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.feature.work import Measurement
from ampeld.flow.codes import OK
from ampeld.store.dossier import Dossiers
from ampeld.testing.feature_run import UnitRun, undescribed
from ampeld.testing.feature_states import ObjectState, StateReader, States, stored_state
from ampeld.testing.words import open_sources

STORES: Final = ("store", "mongodb")
_SOURCE_HELP: Final = (
    "Where the objects come from: an .avro file, a directory or a tar archive; kafka:TOPIC[@START[..END]]; the "
    "simulator, sim:SEED[:ALERTS]; or `store`, the configured database, with --object."
)


def run(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="A name of `ampeld feature list`, or FILE.py:Class.")],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=_SOURCE_HELP)],
    *,
    config: ConfigOption = None,
    object: Annotated[  # noqa: A002  as it is called in the field
        str | None, typer.Option("--object", metavar="NAME", help="Only this object.", show_default="all")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set a parameter of the unit; repeatable. VALUE is TOML, else JSON, else text: --set min_det=3",
        ),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="UNIT=FILE.json",
            help="The body of a unit that this one builds upon, instead of measuring it: an object of JSON, or a list "
            "as this command prints it with --json.",
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Join the object's earlier alerts of the source to its newest one.")
    ] = False,
    points: Annotated[
        Literal["first", "last"], typer.Option(help="For a unit that measures points: which detection of the state.")
    ] = "first",
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the light curves: .png, .pdf or .svg.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure objects with one unit, and with all that it builds upon; nothing is stored.

    One result per object: of the state at its newest alert, made of what that packet brings (with --history also of
    what its earlier packets brought). It is what the daemon measures for an object that it meets for the first time.

    Try:

      ampeld feature run RiseDecline ztf_public_20250801.tar.gz --object ZTF25abcdefg

      ampeld feature run LightCurveFeatures sim:1:200 --set features.EtaE={} --json

      ampeld feature run decay.py:Decay store --object ZTF25abcdefg --plot decay.png

    Exit codes: 0 measured, 1 the unit failed on some object, or there is none, 65 a file is damaged, 69 a server does
    not answer, 78 configuration, or parameters of the unit.
    """
    settings = settings_for(config, None)
    params = typed_parameters(sets or ())
    given = read_inputs(inputs or ())
    found = open_catalogs(settings.catalogs.directory)
    measuring = UnitRun(unit, params, settings.channels.directory, found, given.units)
    states = _states(settings, source, object, history=history)
    results = [(state, measuring.measure(state, given.of(state.name), points)) for state in states.states]
    _tell(states, object)
    if plot is not None:
        _plot(plot, [state for state, _ in results], unit)
    if as_json:
        print_json([document(measuring, state, result) for state, result in results])
    else:
        for state, result in results:
            print_body(console(), measuring, state, result)
    bodies = [result.body for _, result in results if result.body]
    if odd := sorted({key for body in bodies for key in undescribed(measuring.unit, body)}):
        warn(f"{unit} does not describe these keys in its values: {', '.join(odd)}")
    if states.damage is not None:
        raise typer.Exit(ExitCode.DATA)
    failed = not results or any(result.code != OK for _, result in results)
    raise typer.Exit(ExitCode.FAILED if failed else ExitCode.OK)


def document(measuring: UnitRun, state: ObjectState, result: Measurement) -> dict[str, Any]:
    """Return what programs are told of one object; ``error`` is there only where it failed."""
    recipe = measuring.recipe
    told: dict[str, Any] = {
        "object": state.name,
        "candid": state.candid,
        "unit": recipe.unit,
        "config": recipe.config,
        "params": recipe.params,
        "code": result.code,
        "body": result.body,
    }
    return told if result.error is None else told | {"error": result.error}


def _states(settings: Settings, source: str, object: str | None, *, history: bool) -> States:  # noqa: A002
    if source in STORES:
        if object is None:
            raise ConfigError([f"{source}: name the object: --object NAME"])
        state = run_async(_stored(settings, object))
        return States([] if state is None else [state], 0, 0, [], None)
    sources = open_sources([source], settings)
    with reading("measured", sources) as told:
        return run_async(StateReader(settings, object=object, history=history).read(sources, told=told))


async def _stored(settings: Settings, name: str) -> ObjectState | None:
    async with connected(settings.store, "feature") as connection:
        await connection.ping()
        dossier = await Dossiers(connection).load(stock_of(name, settings.source.survey, option="--object"))
    return None if dossier is None else stored_state(dossier)


def _tell(states: States, wanted: str | None) -> None:
    if states.refused:
        first = states.refusals[0]
        warn(f"{states.refused} records could not be read, the first ({first.coordinates}): {first.reason}")
    if states.damage is not None:
        warn(states.damage)
    if not states.states:
        warn("the source has no object" if wanted is None else f"the source has no object {wanted}")


def _plot(path: Path, states: Sequence[ObjectState], title: str) -> None:
    try:
        from ampeld.testing.feature_plot import (  # noqa: PLC0415  matplotlib takes a second that others need not wait
            ENDINGS,
            draw_states,
        )
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ConfigError(["--plot needs matplotlib: pip install 'ampeld[demo]'"]) from error
    if path.suffix not in ENDINGS:
        raise typer.BadParameter(f"--plot {path}: expected a name that ends in {', '.join(ENDINGS)}")
    left_out = draw_states(path, states, title)
    warn(f"wrote {path}" + (f", without {left_out} objects more" if left_out else ""))
