"""The provenance that a document gets of the alert that brought it: made once for all documents that share it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ampeld.stages.ports import Provenance
from ampeld.stages.values import Accepted

Entry = Mapping[str, Any]


class Stamps:
    """Entries of provenance of one plan.

    Parameters
    ----------
    provenance
        What every document says of this run.
    now
        Seconds since the epoch.
    """

    def __init__(self, provenance: Provenance, now: float) -> None:
        self.now = now
        self._versions = provenance.channels
        self._origin = {key: value for key, value in msgspec.to_builtins(provenance).items() if key != "channels"}
        self._made: dict[tuple[int, str], tuple[Accepted, Entry]] = {}

    def of(self, alert: Accepted, channel: str) -> Entry:
        """Return the entry of an alert for a channel; the same object for all that ask, which do not change it."""
        _, entry = self._made.get((id(alert), channel), (None, None))
        if entry is None:
            entry = {
                **self._origin,
                "ts": self.now,
                "alert": alert.candid,
                "jd": alert.jd,
                "topic": alert.coordinates.topic,
                "partition": alert.coordinates.partition,
                "offset": alert.coordinates.offset,
                "schema": alert.schema,
                **self.of_channel(channel),
            }
            self._made[id(alert), channel] = alert, entry  # with the alert, so that no other takes its id
        return entry

    def of_channel(self, channel: str) -> Mapping[str, str]:
        """Return the name of a channel with its version; one that is in force no more has none."""
        version = self._versions.get(channel)
        return {"channel": channel} if version is None else {"channel": channel, "channel_version": version}
