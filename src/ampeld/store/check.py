"""Asks a MongoDB whether it can keep the promises that ampeld makes with it, for ``ampeld check --connect``."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

import msgspec

from ampeld.store.connection import INDEXES, Connection
from ampeld.store.errors import StoreUnavailableError, translated

MIN_VERSION = (6, 0)
"""Older servers lack ``$sortArray``, which keeps provenance bounded in one step."""

MAX_SKEW_S = 1.0

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    what: str
    level: Level
    message: str
    refused: bool = False
    """Whether the server does not let us in, or not do what we must."""


async def check_server(uri: str, database: str, timeout_s: float = 10.0) -> list[Finding]:
    """Return what was found out about the server; nothing is raised for a server that is not as it should be."""
    try:
        connection = Connection(uri, database, timeout_s=timeout_s, app_name="ampeld-check")
    except StoreUnavailableError as error:
        return [Finding("server", "error", str(error))]
    try:
        return await _findings(connection)
    finally:
        await connection.close()


async def _findings(connection: Connection) -> list[Finding]:
    try:
        hello = await connection.command("hello")
        build = await connection.command("buildInfo")
    except StoreUnavailableError as error:
        return [Finding("server", "error", str(error), error.refused)]
    findings = [_version(build), _topology(hello), _clock(hello)]
    steps: list[tuple[str, Callable[[Connection], Awaitable[list[Finding]]]]] = [
        ("replica set", _members),
        ("indexes", _indexes),
        ("write", _probe),
    ]
    for what, step in steps:
        try:
            findings += await step(connection)
        except StoreUnavailableError as error:
            # Without the right to look, the replica set may still be in order; a write that fails may not.
            level: Level = "error" if what == "write" else "warning"
            findings.append(Finding(what, level, str(error), error.refused))
    return findings


def _version(build: dict[str, Any]) -> Finding:
    version = tuple(build["versionArray"][:2])
    if version < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        return Finding("version", "error", f"MongoDB {build['version']} is too old: {needed} or newer is needed")
    return Finding("version", "ok", f"MongoDB {build['version']}")


def _topology(hello: dict[str, Any]) -> Finding:
    if hello.get("msg") == "isdbgrid":
        return Finding("topology", "ok", "sharded cluster")
    if "setName" not in hello:
        return Finding("topology", "error", "a standalone server: retryable writes and majorities need a replica set")
    if not hello.get("isWritablePrimary"):
        return Finding("topology", "error", f"replica set {hello['setName']}: {hello['me']} is not the primary")
    return Finding("topology", "ok", f"replica set {hello['setName']}, primary {hello['me']}")


def _clock(hello: dict[str, Any]) -> Finding:
    skew = (hello["localTime"] - datetime.now(UTC)).total_seconds()
    level: Level = "ok" if abs(skew) < MAX_SKEW_S else "warning"
    return Finding("clock", level, f"the server's clock differs by {skew:+.3f} s")


async def _members(connection: Connection) -> list[Finding]:
    config = (await connection.command("replSetGetConfig"))["config"]
    bearing = [member for member in config["members"] if not member.get("arbiterOnly") and member.get("votes", 1)]
    journal = config.get("writeConcernMajorityJournalDefault", True)
    members = f"{len(bearing)} data-bearing voting member{'s' if len(bearing) != 1 else ''}"
    return [
        Finding("members", "ok" if len(bearing) >= 3 else "warning", f"{members}; three survive the loss of one"),
        Finding(
            "journal",
            "ok" if journal else "error",
            f"writeConcernMajorityJournalDefault is {str(bool(journal)).lower()}",
        ),
    ]


async def _indexes(connection: Connection) -> list[Finding]:
    missing = []
    for collection, indexes in INDEXES.items():
        with translated():
            present = await connection[collection].index_information()
        missing += [
            f"{collection}.{index.document['name']}" for index in indexes if index.document["name"] not in present
        ]
    if missing:
        return [Finding("indexes", "warning", f"missing, made at the next start: {', '.join(missing)}")]
    return [Finding("indexes", "ok", "all present")]


async def _probe(connection: Connection) -> list[Finding]:
    probe = {"_id": f"probe-{uuid4().hex}"}
    with translated():
        await connection["probe"].insert_one(probe)
        found = await connection["probe"].find_one(probe)
        await connection["probe"].delete_one(probe)
        if not await connection["probe"].estimated_document_count():
            await connection["probe"].drop()
    level: Level = "ok" if found else "error"
    return [Finding("write", level, "a document was written by a majority, read and deleted")]
