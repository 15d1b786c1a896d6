"""The results of gates: which version of a channel kept within its limits on a reference night, for every daemon."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ampeld.store.connection import Connection
from ampeld.store.errors import storing, translated

MOST_OBJECTS = 20_000
"""Names of accepted objects that are kept of one run of a gate; the number and the digest are of all."""

_SHORT = {"objects": 0}


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a gate."""

    channel: str
    version: str
    night: str
    """Digest of the alerts of the reference night."""
    source: str
    """The reference night in words."""
    seen: int
    """Alerts that were judged."""
    accepted: int
    """Alerts that were accepted."""
    errors: int
    """Alerts on which the filter's code failed."""
    objects: list[str]
    """The accepted objects by name, the first `MOST_OBJECTS` of them."""
    n_objects: int
    digest: str
    """Digest of the names of all accepted objects."""
    pass_fraction: float
    us_per_alert: float
    limits: dict[str, float | None]
    passed: bool
    why: list[str]
    """What was not kept within."""
    forced: bool
    reason: str | None
    """Why it was forced, in the words of who did it."""
    when: datetime
    run: str
    host: str

    @property
    def opens(self) -> bool:
        """Tell whether the version may run where gates are required."""
        return self.passed or self.forced


class Gates:
    """The collection ``gates``.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._gates = connection["gates"]

    async def record(self, result: GateResult) -> None:
        """Keep a result; a repeat of the same run changes nothing."""
        document = msgspec.to_builtins(result, builtin_types=(datetime,))
        with storing([document]):
            await self._gates.replace_one({"_id": f"{result.run}/{result.channel}"}, document, upsert=True)

    async def newest(self, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], GateResult]:
        """Return the newest result of each of these (channel, version), without objects; none where there is none."""
        wanted = [{"channel": channel, "version": version} for channel, version in versions]
        found: dict[tuple[str, str], GateResult] = {}
        if wanted:
            with translated():
                async for document in self._gates.find({"$or": wanted}, _SHORT).sort("when", 1):
                    found[document["channel"], document["version"]] = _result(document)
        return found

    async def opened(self, channel: str, *, but: str) -> list[str]:
        """Return the versions of a channel whose newest result opens the gate, but one, the newest first."""
        newest: dict[str, GateResult] = {}
        with translated():
            async for document in self._gates.find({"channel": channel}, _SHORT).sort("when", -1):
                newest.setdefault(document["version"], _result(document))
        return [version for version, result in newest.items() if result.opens and version != but]

    async def former(self, channel: str, *, but: str, night: str) -> GateResult | None:
        """Return the newest result of another version on the same night, one that opens the gate before all others."""
        wanted = {"channel": channel, "version": {"$ne": but}, "night": night}
        with translated():
            for opens in ({"$or": [{"passed": True}, {"forced": True}]}, {}):
                document = await self._gates.find_one(wanted | opens, sort=[("when", -1)])
                if document is not None:
                    return _result(document)
        return None


def now() -> datetime:
    """Return the time as the database keeps it: UTC, in whole milliseconds."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _result(document: dict[str, Any]) -> GateResult:
    return msgspec.convert({"objects": []} | document, GateResult)
