"""The base of every filter."""

from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar

from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.params import Parametrised

Cuts = Iterator[tuple[str, Condition]]
"""What ``cuts`` yields: the name of a cut, and for which alerts it is passed."""


class Filter(Parametrised):
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

    in_families: ClassVar[bool] = False
    """Whether filters of this very class that differ in numbers may be judged together, see `ampeld.channel.family`."""

    def catalogs(self) -> Mapping[str, Collection[str]]:
        """Return the catalogues that ``a.near`` is asked for, each with the columns that are looked at.

        A channel does not start without them; a catalogue that turns out to be missing later is the channel's error.
        """
        return {}

    def cuts(self, a: Columns) -> Cuts:  # noqa: ARG002  the base has no cuts
        """Yield the cuts in the order in which they are counted; an alert passes where the condition is true.

        A rejected alert is counted under the first cut that it fails, and what comes after does not matter to it: a
        cut is evaluated on all alerts of a batch as long as one of them has passed all before, and not asked for
        otherwise. A verdict thus never depends on the alerts beside it, as long as the cuts follow from the columns
        element by element. A cut whose name ends in a number, as ``"bright (-3)"``, rejects with that code.
        """
        yield from ()
