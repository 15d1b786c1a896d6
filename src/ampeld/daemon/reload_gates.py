"""What has passed its gate, as the database of all daemons knows it."""

from collections.abc import Sequence

from ampeld.daemon.assembly import Named
from ampeld.daemon.connect import connected
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.settings import Settings
from ampeld.store.check import Finding
from ampeld.store.errors import StoreUnavailableError
from ampeld.store.gates import Gates
from ampeld.store.suspensions import Suspensions
from ampeld.store.versions import ChannelVersions


class StoredGates:
    """The gatekeeper of a daemon.

    Parameters
    ----------
    gates, versions
        Where results lie, and the texts of former versions.
    required
        Whether a version that has not passed must not run.
    """

    def __init__(self, gates: Gates, versions: ChannelVersions, *, required: bool) -> None:
        self.required = required
        self._gates = gates
        self._versions = versions

    async def opened(self, files: Sequence[ChannelFiles]) -> frozenset[tuple[str, str]]:
        """Return the (name, version) of those whose newest result opens the gate."""
        newest = await self._gates.newest((one.name, one.version) for one in files)
        return frozenset(key for key, result in newest.items() if result.opens)

    async def former(self, files: ChannelFiles) -> ChannelFiles | None:
        """Return the newest version of a channel that has passed and whose texts were kept, None if there is none."""
        for version in await self._gates.opened(files.name, but=files.version):
            if (found := await stored_files(self._versions, files.name, version)) is not None:
                return found
        return None


async def stored_files(versions: ChannelVersions, name: str, version: str) -> ChannelFiles | None:
    """Return the texts of a version of a channel from the store, None where they were not kept."""
    texts = await versions.texts(version)
    if texts is None:
        return None
    return ChannelFiles(name, texts.path, texts.text, texts.modules, stored=True)


async def channel_findings(settings: Settings, channels: Sequence[Named]) -> list[Finding]:
    """Return which of these channels have not passed their gate, and which are suspended, for ``ampeld check``."""
    required = settings.channels.gate == "required"
    try:
        async with connected(settings.store, "check") as connection:
            newest = await Gates(connection).newest((one.name, one.version) for one in channels)
            suspended = await Suspensions(connection).suspended()
    except StoreUnavailableError as error:
        return [Finding("channels", "warning", str(error), error.refused)]
    opened = {name for (name, _), result in newest.items() if result.opens}
    closed = [f"{one.name}@{one.version}" for one in channels if one.name not in opened]
    meaning = "their former versions go on, or they stay off" if required else "they run all the same"
    findings = [Finding("channel gates", "warning", f"not passed by {', '.join(closed)}: {meaning}")] if closed else []
    return findings + [
        Finding("channels", "warning", f"{name} is suspended since {one.since:%Y-%m-%d %H:%M} UTC: {one.reason}")
        for name, one in sorted(suspended.items())
    ]
