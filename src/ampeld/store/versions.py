"""Channel versions as they are kept: what each was made of, so that it can run and be compared again."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ampeld.store.connection import Connection
from ampeld.store.errors import translated


class VersionTexts(msgspec.Struct, frozen=True):
    """The texts of a channel's version."""

    path: str
    text: str
    modules: dict[str, str]


class VersionFacts(msgspec.Struct, frozen=True):
    """What is known of a version that judged: enough to repeat its verdicts under its name."""

    name: str
    access: frozenset[str]
    cuts: list[str]
    """The names of its cuts, by their number in verdict blocks."""


def describe_texts(path: str, text: str, modules: Mapping[str, str]) -> dict[str, Any]:
    """Return texts as they lie in a document; file names are values, for they have dots."""
    return {"path": path, "text": text, "modules": [{"name": name, "text": t} for name, t in sorted(modules.items())]}


class ChannelVersions:
    """The collection ``channel_versions``, read.

    Parameters
    ----------
    connection : Connection
        The database.
    """

    def __init__(self, connection: Connection) -> None:
        self._versions = connection["channel_versions"]

    async def texts(self, version: str) -> VersionTexts | None:
        """Return the texts of a version; None where they were not kept."""
        with translated():
            document = await self._versions.find_one({"_id": version}, {"files": 1})
        files = (document or {}).get("files")
        if files is None:
            return None
        modules = {module["name"]: module["text"] for module in files["modules"]}
        return VersionTexts(files["path"], files["text"], modules)

    async def facts(self, versions: Iterable[str]) -> dict[str, VersionFacts]:
        """Return what is known of each of these versions."""
        wanted = {"_id": {"$in": list(versions)}}
        with translated():
            documents = await self._versions.find(wanted, {"name": 1, "access": 1, "cuts": 1}).to_list(None)
        return {
            document["_id"]: VersionFacts(
                document.get("name", ""), frozenset(document.get("access", ())), document["cuts"]
            )
            for document in documents
        }

    async def named(self, channel: str) -> list[tuple[str, Any]]:
        """Return the versions of a channel that were loaded, with the time of the first time, the newest first."""
        loaded = {"name": channel, "filter": {"$exists": True}}  # the texts of a version that was refused are there too
        with translated():
            found = await self._versions.find(loaded, {"registered": 1}).sort("registered", -1).to_list(None)
        return [(document["_id"], document.get("registered")) for document in found]
