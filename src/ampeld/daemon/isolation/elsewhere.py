"""The channels as the daemon knows them when their code runs in another process: everything but the code."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ampeld.channel.channel import Channel
from ampeld.channel.columns import Columns
from ampeld.channel.filter import Cuts, Filter
from ampeld.daemon.isolation.messages import Facts
from ampeld.errors import InvariantError


class Elsewhere(Filter):
    """A filter that lives in a filter process; whoever asks it here has gone round the process.

    Parameters
    ----------
    words : str
        Its ``module:Class``.
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def cuts(self, a: Columns) -> Cuts:
        """Refuse."""
        self._refuse(len(a))

    def _refuse(self, alerts: int) -> NoReturn:
        raise InvariantError(f"{self.words} was asked about {alerts} alerts in the daemon: it runs beside it")


def words_of(filter: Filter) -> str:  # noqa: A002  the word of the architecture
    """Return ``module:Class`` of a filter, wherever it lives."""
    if isinstance(filter, Elsewhere):
        return filter.words
    return f"{type(filter).__module__}:{type(filter).__qualname__}"


def channels_of(facts: Sequence[Facts]) -> tuple[Channel, ...]:
    """Return the channels that a nursery has loaded."""
    return tuple(_channel(each) for each in facts)


def _channel(facts: Facts) -> Channel:
    return Channel(
        name=facts.name,
        filter=Elsewhere(facts.filter),
        contact=facts.contact,
        access=frozenset(facts.access),
        on_known=facts.on_known,
        survey=facts.survey,
        limits=facts.limits,
        version=facts.version,
        path=Path(facts.path),
        features=facts.features,
    )
