"""What the daemons said of an alert, and the alert itself as long as Kafka, or its file, still has it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import msgspec

from ampeld.alert.survey import survey_of
from ampeld.daemon.connect import connected
from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.errors import AmpeldError, ConfigError
from ampeld.flow.record import Coordinates, Record
from ampeld.source.archive import Payload, read
from ampeld.source.refetch import Gone, refetch
from ampeld.source.retention import retention_of
from ampeld.store.search import FoundVerdict, VerdictSearch
from ampeld.testing.find import Wanted
from ampeld.testing.sources import record_at

_INSTANCE: Final = "explain"


class Recalled(msgspec.Struct, frozen=True):
    """A verdict that was given, with the alert that it was given on, or why that cannot be had."""

    verdict: FoundVerdict
    object: str
    """The object's name; empty where the alert has none."""
    record: Record | None
    gone: str | None


async def recall(
    settings: Settings, channel: str, wanted: Wanted, *, told: Callable[[date], None] = lambda _: None
) -> list[Recalled]:
    """Return what the daemons said of an alert, or of an object's alerts of its newest night, the newest last.

    Parameters
    ----------
    settings
        The configuration, for its store and its brokers.
    channel
        Whose verdicts.
    wanted
        A candid, or an object's name.
    told
        Told of each night that is looked through for an object.

    Raises
    ------
    ConfigError
        If the name cannot be an object's of this survey.
    RetryableError
        If the store does not answer; brokers that do not are a reason why an alert cannot be had.
    """
    stock = _stock(settings, wanted)
    async with connected(settings.store, "explain") as connection:
        await connection.ping()
        search = VerdictSearch(connection)
        found = await search.of_alert(channel, wanted) if isinstance(wanted, int) else []
        if not found and stock is not None:
            found = await search.of_object(channel, stock, told=told)
    records = await _records(settings, [verdict.coordinates for verdict in found])
    return [await _recalled(settings, verdict, records[verdict.coordinates]) for verdict in found]


def _stock(settings: Settings, wanted: Wanted) -> int | None:
    """Return the number of the object that is meant; None where a number can only be a candid."""
    survey = survey_of(settings.source.survey)
    try:
        return survey.stock_of(str(wanted))
    except ValueError as error:
        if isinstance(wanted, int):
            return None
        raise ConfigError([f"{wanted!r}: {error}, and no candid"]) from None


def _name(settings: Settings, stock: int | None) -> str:
    return "" if stock is None else survey_of(settings.source.survey).name_of(stock)


async def _records(settings: Settings, places: Sequence[Coordinates]) -> dict[Coordinates, Record | Gone]:
    """Return each record or why it is gone, from the files and from the brokers that it came from."""
    files = [place for place in places if place.topic.startswith("/")]
    found = _from_files(files, settings.source.max_message_bytes)
    if sent := [place for place in places if place not in found]:
        try:
            found |= await refetch(kafka_settings(settings, instance=_INSTANCE), sent)
        except AmpeldError as error:
            found |= {place: Gone(place, f"the brokers cannot be asked: {error}") for place in sent}
    return found


def _from_files(places: Iterable[Coordinates], max_message_bytes: int) -> dict[Coordinates, Record | Gone]:
    wanted: dict[str, set[int]] = {}
    for place in places:
        wanted.setdefault(place.topic, set()).add(place.offset)
    found: dict[Coordinates, Record | Gone] = {}
    for topic, numbers in wanted.items():
        if Path(topic).is_file():
            for item in read([Path(topic)], max_message_bytes):
                if isinstance(item, Payload) and item.number in numbers:
                    place = Coordinates(topic, 0, item.number)
                    found[place] = record_at(place, item.value, item.refusal)
        for number in numbers:
            place = Coordinates(topic, 0, number)
            found.setdefault(place, Gone(place, f"the file {topic} is not there any more, or has changed"))
    return found


async def _recalled(settings: Settings, verdict: FoundVerdict, found: Record | Gone) -> Recalled:
    name = _name(settings, verdict.stock)
    if isinstance(found, Record):
        return Recalled(verdict, name, found, found.refusal)
    reason = found.reason
    if found.oldest_ms is not None:
        oldest = datetime.fromtimestamp(found.oldest_ms / 1000, UTC)
        reason += f", with records from {oldest:%Y-%m-%d %H:%M} on"
    kept = None
    if not verdict.coordinates.topic.startswith("/"):
        kept = await retention_of(kafka_settings(settings, instance=_INSTANCE), verdict.coordinates.topic)
    if kept is not None and verdict.written + kept < datetime.now(UTC):
        reason += f"; records are kept for {kept}, so that it fell out on {verdict.written + kept:%Y-%m-%d}"
    return Recalled(verdict, name, None, reason)
