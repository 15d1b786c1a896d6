"""The base of every filter."""

from collections.abc import Iterator
from typing import Any

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.params import blame, check

Cuts = Iterator[tuple[str, Condition]]
"""What ``cuts`` yields: the name of a cut, and for which alerts it is passed."""


class Filter:
    """Decides which alerts a channel takes. Derive from it, annotate parameters, yield cuts:

    >>> class Bright(Filter):
    ...     max_mag: float = 19.0  # [mag]
    ...
    ...     def cuts(self, a):
    ...         yield "real", a.rb >= 0.5
    ...         yield "bright", a.magpsf <= self.max_mag

    A filter may define ``accept(self, alert: Alert) -> bool | int | None`` too, which is asked for each alert that
    passed all cuts: None or False rejects, True accepts, an int > 0 accepts into that group, an int < 0 rejects with
    that code. Verdicts must come from the alert alone: what is remembered from one alert to the next makes them
    depend on order and on which daemon asks.

    Parameters
    ----------
    **given
        The parameters: annotated attributes of the class and its bases; those with a value are optional.

    Raises
    ------
    ParameterError
        If any is unknown, missing or wrong.
    """  # noqa: D400  the sentence ends in the example

    def __init__(self, **given: Any) -> None:
        for name, value in check(type(self), given).items():
            setattr(self, name, value)
        try:
            self.prepare()
        except ValueError as error:
            raise blame(type(self), error) from error

    def prepare(self) -> None:
        """Look at the parameters once; raise ``ValueError("name: what is wrong")`` to refuse one."""

    def cuts(self, a: Columns) -> Cuts:  # noqa: ARG002  the base has no cuts
        """Yield the cuts in the order in which they are counted; an alert passes where the condition is true.

        All of them are evaluated on every batch; a rejected alert is counted under the first cut that it fails.
        """
        yield from ()
