"""Whether a worker measures with what the results say: one that has opened something else does not measure with it."""

from collections.abc import Iterator, Mapping

import structlog

from ampeld.daemon.isolation.messages import Opened
from ampeld.daemon.measuring.opening import Key
from ampeld.flow.trace import Trace

log = structlog.get_logger("ampeld.measuring")


class Origins:
    """What the units of one loading have opened.

    Parameters
    ----------
    traces
        As the first worker told.
    """

    def __init__(self, traces: Mapping[Key, Trace]) -> None:
        self._traces = traces
        self._told: set[Key] = set()

    def strangers(self, opened: Opened) -> frozenset[Key]:
        """Return the units that a later worker must not measure; the log tells of each once.

        Parameters
        ----------
        opened
            What that worker has told.
        """
        theirs = {(trace.unit, trace.config): trace for trace in opened.traces}
        failed = {(unit, config): error for unit, config, error in opened.failed}
        found = set()
        for key, trace in self._traces.items():
            other = theirs.get(key)
            if other is None or other.id != trace.id or key in failed:
                found.add(key)
                self._tell(key, [] if other is None else sorted(_changed(trace, other)), failed.get(key))
        return frozenset(found)

    def _tell(self, key: Key, changed: list[str], error: str | None) -> None:
        if key in self._told:
            return
        self._told.add(key)
        log.error(
            "feature.withheld",
            unit=key[0],
            config=key[1],
            changed=changed,
            error=error,
            meaning="what it measures with has changed since the channels were loaded: a new process leaves it out, "
            "and its tickets wait until it is as it was, or `ampeld channel reload` takes the change up",
        )


def _changed(one: Trace, other: Trace) -> Iterator[str]:
    """Yield the names of the files, catalogues and libraries that two traces of a unit differ in."""
    for mine, theirs in ((one.resources, other.resources), (one.libraries, other.libraries)):
        yield from (name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    if one.digest != other.digest:
        yield f"the source of {one.unit}"
