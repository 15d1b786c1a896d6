"""Lets a suspended channel go on, and judges what it was passed over for."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from ampeld.channel.channel import Channel
from ampeld.daemon.assembly import Assembly, assemble
from ampeld.daemon.channels_register import register_channels, register_texts, register_traces
from ampeld.daemon.connect import connected
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.elsewhere import words_of
from ampeld.daemon.judges import ChannelJudge, make_judge
from ampeld.daemon.reload_gates import StoredGates
from ampeld.daemon.replay import Replay, Replayed
from ampeld.daemon.settings import Settings
from ampeld.daemon.sources import kafka_settings
from ampeld.daemon.suspension import LOOK_S, suspension_of
from ampeld.errors import AmpeldError
from ampeld.source.refetch import Refetcher
from ampeld.stages.values import Decoded, Judged
from ampeld.store.connection import Connection
from ampeld.store.gates import Gates, now
from ampeld.store.skipped import find_debt
from ampeld.store.suspensions import Suspension, Suspensions
from ampeld.store.versions import ChannelVersions

HEARD_S = 2 * LOOK_S + 2.0
"""How long after the word every daemon has heard it, and what it had skipped until then is in a block."""

Progress = Callable[[str, int, int | None], None]
"""Told of a step, how much of it is done, and of how much."""


class FailsAgainError(AmpeldError):
    """The channel has spent its error budget a second time: it is suspended again."""


class Resumed(msgspec.Struct, frozen=True):
    """What became of a suspension."""

    channel: str
    resumed: bool
    """Whether it was suspended until now."""
    suspension: Suspension | None
    """Its last suspension, None if it never had one."""
    version: str | None = None
    """The version that replayed."""
    replay: Replayed | None = None


async def resume(settings: Settings, name: str, *, files: ChannelFiles | None, by: str, progress: Progress) -> Resumed:
    """Let a channel go on, on all daemons.

    Parameters
    ----------
    settings
        The configuration.
    name
        The channel.
    files
        What replays what the channel was passed over for; None to leave that owed.
    by
        Who says so.
    progress
        Told how far it is.

    Raises
    ------
    FailsAgainError
        If the channel fails on what is replayed as it did before.
    RetryableError, AccessDeniedError
        If a server does not do its part; a repeat goes on where this broke off.
    """
    async with connected(settings.store, "resume") as connection:
        await connection.prepare()
        suspensions = Suspensions(connection)
        resumed = await suspensions.resume(name, when=now(), by=by)
        suspension = resumed or await suspensions.get(name)
        said = Resumed(name, resumed is not None, suspension)
        if files is None or suspension is None or suspension.owed is None:
            return said
        chosen = await _allowed(settings, connection, files)
        replayed = await _replay(settings, chosen, suspension, progress)
        if replayed.is_settled:
            await suspensions.settle(suspension)
        return msgspec.structs.replace(said, version=chosen.version, replay=replayed)


async def _allowed(settings: Settings, connection: Connection, files: ChannelFiles) -> ChannelFiles:
    """Return what judges for the daemons: where gates are required, a version that has passed."""
    required = settings.channels.gate == "required"
    gates = StoredGates(Gates(connection), ChannelVersions(connection), required=required)
    if not required or await gates.opened([files]):
        return files
    former = await gates.former(files)
    if former is None:
        raise AmpeldError(f"no version of {files.name} has passed its gate: ampeld channel gate {files.name}")
    return former


async def _replay(settings: Settings, files: ChannelFiles, suspension: Suspension, progress: Progress) -> Replayed:
    parts = assemble(settings, [files], instance="resume", group=settings.source.group)
    judge = make_judge(settings, parts.measurer)
    failures: list[str] = []
    judge.sanctions.on_suspend = lambda _channel, reason: failures.append(reason)
    try:
        await judge.swap([files])
        await register_texts(parts.store, [files])
        await register_channels(parts.store, judge.channels, [words_of(judge.channels[0].filter)])
        await register_traces(parts.store, parts.measurer.all_traces())
        async with Refetcher(kafka_settings(settings, instance="resume")) as fetcher:
            replay = Replay(
                judge.channels[0],
                judge=lambda decoded: _judge(judge, decoded, failures),
                fetcher=fetcher,
                reader=parts.reader,
                flusher=parts.flusher,
                facts=ChannelVersions(parts.store.connection).facts,
            )
            result = await _pass(parts, replay, suspension, progress)
            if await _wait_until_heard(suspension, progress):
                result = _added(result, await _pass(parts, replay, suspension, progress))
            return result
    except FailsAgainError as error:
        await _suspend_again(parts, judge.channels[0], str(error))
        raise
    finally:
        await judge.close()
        await parts.store.close()


async def _pass(parts: Assembly, replay: Replay, suspension: Suspension, progress: Progress) -> Replayed:
    assert suspension.owed is not None  # else there is nothing to replay
    progress("looking for what was skipped", 0, None)
    group = parts.settings.source.group
    debt = await find_debt(parts.store.connection, suspension.channel, group=group, since=suspension.owed)
    return await replay.run(debt, done=lambda number: progress("replaying", number, debt.total))


async def _judge(judge: ChannelJudge, decoded: Decoded, failures: list[str]) -> Judged:
    judged = await judge.judge(decoded)
    if failures:
        raise FailsAgainError(f"{judge.channels[0].name} fails as it did before: {failures[-1]}")
    return judged


async def _suspend_again(parts: Assembly, channel: Channel, reason: str) -> None:
    suspension = suspension_of(channel, reason, parts.provenance)
    await Suspensions(parts.store.connection).suspend(suspension)


async def _wait_until_heard(suspension: Suspension, progress: Progress) -> bool:
    """Wait until no daemon skips the channel any more; return whether that was not long ago."""
    since = (datetime.now(UTC) - suspension.resumed).total_seconds() if suspension.resumed is not None else HEARD_S
    left_s = round(HEARD_S - since)
    for second in range(max(left_s, 0)):
        progress("waiting until every daemon has heard of it", second, left_s)
        await asyncio.sleep(1.0)
    return left_s > 0


def _added(first: Replayed, second: Replayed) -> Replayed:
    """Return what came of two passes; what the first could not judge, the second found once more."""
    again = first.errored + first.hidden + sum(lost.number for lost in first.lost)
    return Replayed(
        owed=first.owed + second.owed - again,
        accepted=first.accepted + second.accepted,
        rejected=first.rejected + second.rejected,
        errored=second.errored,
        hidden=second.hidden,
        lost=second.lost,
    )
