"""Try dead letters again with the code and channels of today; their outcome in the ledger stands."""

from collections.abc import Sequence

import msgspec

from ampeld.daemon.assembly import Assembly, assemble
from ampeld.daemon.channels_register import register_channels, register_traces
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.ingest import GROUP
from ampeld.daemon.isolation.elsewhere import words_of
from ampeld.daemon.judges import make_judge
from ampeld.daemon.settings import Settings
from ampeld.errors import PoisonError
from ampeld.flow.record import Batch
from ampeld.flow.verdict import is_accepted
from ampeld.stages.decode import decode_batch
from ampeld.stages.ports import Judge
from ampeld.store.dead_letters import DeadLetterBox


class Retried(msgspec.Struct, frozen=True):
    """What became of one dead letter."""

    id: str
    resolved: bool
    result: str
    """How it ended, or why it still cannot be read."""


async def retry(
    settings: Settings, channels: Sequence[ChannelFiles], ids: Sequence[str], *, instance: str
) -> list[Retried]:
    """Run dead letters through the stages again, under their old coordinates.

    What can be read now is judged and stored as if it had just come, and its letter is marked resolved.
    No verdict block is written: the record was accounted for as dead-lettered, and that remains true.

    Parameters
    ----------
    settings, channels
        The configuration of today.
    ids
        ``topic/partition/offset`` of each letter; an unknown one raises before anything is done to it.
    instance
        The name under which this process writes.
    """
    parts = assemble(settings, channels, instance=instance, group=GROUP)
    judge = make_judge(settings, parts.measurer)
    try:
        await judge.swap(channels)
        await parts.prepare()
        await register_channels(parts.store, judge.channels, [words_of(channel.filter) for channel in judge.channels])
        await register_traces(parts.store, parts.measurer.all_traces())
        box = DeadLetterBox(parts.store.connection)
        return [await _retry_one(parts, judge, box, letter) for letter in ids]
    finally:
        await judge.close()
        await parts.store.close()


async def _retry_one(parts: Assembly, judge: Judge, box: DeadLetterBox, letter: str) -> Retried:
    record = await box.record(letter)
    await parts.reader.prepare([record.value])
    decoded = decode_batch(parts.reader.decoder, Batch([record], [], 0.0))
    if decoded.dead_letters:
        return Retried(letter, resolved=False, result=decoded.dead_letters[0].reason)
    judged = await judge.judge(decoded)
    try:
        (followed,), _, _ = await parts.flusher.store([judged])
    except PoisonError as error:
        return Retried(letter, resolved=False, result=str(error))
    codes = followed.codes[:, 0].tolist()
    takers = [channel.name for channel, code in zip(judged.channels, codes, strict=True) if is_accepted(code)]
    result = f"stored, accepted by {', '.join(takers)}" if takers else "filtered: no channel accepts it"
    await box.mark_resolved(letter, f"retried by ampeld {parts.provenance.version}: {result}")
    return Retried(letter, resolved=True, result=result)
