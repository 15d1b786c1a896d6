"""Whether the catalogues and files are at hand that units ask for: a missing one is told before anything starts."""

from collections.abc import Iterator, Mapping, Sequence

from ampeld.catalog.directory import Found
from ampeld.channel.channel import Channel
from ampeld.daemon.feature_resources import LocalResources, Need
from ampeld.daemon.features import MadeUnit
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.toml import parse_toml
from ampeld.flow.wanted import closure

Units = Mapping[tuple[str, int], MadeUnit]


def need_problems(
    channels: Sequence[Channel], files: Sequence[ChannelFiles], units: Units, found: Found
) -> dict[str, list[str]]:
    """Return by channel what its units lack, with file and line.

    Parameters
    ----------
    channels
        Loaded.
    files
        The texts of each, in their order.
    units
        As `ampeld.daemon.features.make_units` makes them of these.
    found
        The catalogues at hand.
    """
    problems = {
        channel.name: list(_problems_of(channel, texts, units, found))
        for channel, texts in zip(channels, files, strict=True)
        if channel.features
    }
    return {name: lines for name, lines in problems.items() if lines}


def _problems_of(channel: Channel, files: ChannelFiles, units: Units, found: Found) -> Iterator[str]:
    toml = parse_toml(files.text, channel.path)
    for number, wanted in enumerate(channel.features):
        for recipe in closure([wanted.recipe]):
            try:
                needs: list[Need] = list(units[recipe.key].unit.needs())
            except (Exception, SystemExit) as error:  # noqa: BLE001  science code: needs() is the author's
                lacking = [f"needs() of {recipe.unit} fails: {type(error).__name__}: {error}"]
            else:
                lacking = LocalResources(found, channel.path.parent, files.modules).problems(needs)
            behind = "" if recipe is wanted.recipe else f" ({wanted.recipe.unit} builds upon {recipe.unit})"
            yield from (toml.problem(f"{message}{behind}", "feature", number, "unit") for message in lacking)
