"""What `ampeld show` and `ampeld why` share: an object with its verdicts from the store, and what values mean."""

import contextlib
from collections.abc import Iterable

import msgspec

from ampeld.cli.stocks import stock_of
from ampeld.daemon.authors import AuthorCodeError, ModuleLoader
from ampeld.daemon.connect import connected
from ampeld.daemon.features import UnitFinder
from ampeld.daemon.files import ChannelFiles, read_each
from ampeld.daemon.settings import Settings
from ampeld.errors import AmpeldError, ConfigError
from ampeld.feature.unit import Unit
from ampeld.store.connection import Connection
from ampeld.store.dossier import Dossier, Dossiers
from ampeld.store.reader import AccountReader, AlertAccount
from ampeld.story.telling import ObjectTold, own_alerts, tell
from ampeld.story.why import Meaning


class NoObjectError(AmpeldError):
    """The store has no such object."""


class Found(msgspec.Struct, frozen=True):
    """An object, as it is kept and as it is told."""

    dossier: Dossier
    told: ObjectTold


async def find_object(settings: Settings, name: str, *, alerts: int) -> Found:
    """Return an object, with what channels said of its newest alerts.

    Parameters
    ----------
    settings
        Where the store is.
    name
        The object's.
    alerts
        Of how many alerts verdicts are looked up.

    Raises
    ------
    NoObjectError
        If it is not there.
    ConfigError
        If that can be no object's name.
    """
    stock = stock_of(name, settings.source.survey)
    async with connected(settings.store, "show") as connection:
        dossier = await Dossiers(connection).load(stock)
        if dossier is None:
            raise NoObjectError(f"{name}: the store has no such object; no channel has accepted an alert of it")
        verdicts = await _verdicts(connection, own_alerts(dossier, alerts))
    return Found(dossier, tell(dossier, settings.source.survey, verdicts))


async def _verdicts(connection: Connection, candids: Iterable[int]) -> list[AlertAccount]:
    reader = AccountReader(connection)
    return [account for candid in candids for account in await reader.find_alert(candid)]


def meanings_of(settings: Settings, units: Iterable[str]) -> dict[str, dict[str, Meaning]]:
    """Return what the values of units mean, by unit and key; a unit that cannot be found any more says nothing."""
    found: dict[str, dict[str, Meaning]] = {}
    loader = ModuleLoader()
    files: list[ChannelFiles] = []
    with contextlib.suppress(ConfigError):  # a directory that is gone takes nothing from what is stored
        files, _ = read_each(settings.channels.directory)
    for name in set(units):
        finders = [UnitFinder(loader, one) for one in files] or [UnitFinder(loader)]
        for finder in finders:
            with contextlib.suppress(AuthorCodeError, ConfigError):
                found[name] = _meanings(finder(name))
                break
    return found


def _meanings(cls: type[Unit]) -> dict[str, Meaning]:
    return {value.key: Meaning(value.unit, value.description) for value in cls.values}
