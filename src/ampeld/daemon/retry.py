"""Try dead letters again with the code and channels of today; their outcome in the ledger stands."""

from collections.abc import Sequence

import msgspec

from ampeld.channel.channel import Channel
from ampeld.daemon.assembly import Assembly, assemble
from ampeld.daemon.ingest import GROUP
from ampeld.daemon.settings import Settings
from ampeld.errors import PoisonError
from ampeld.flow.record import Batch
from ampeld.flow.verdict import is_accepted
from ampeld.stages.decode import decode_batch
from ampeld.stages.filter import judge_batch
from ampeld.store.dead_letters import DeadLetterBox


class Retried(msgspec.Struct, frozen=True):
    """What became of one dead letter."""

    id: str
    resolved: bool
    result: str
    """How it ended, or why it still cannot be read."""


async def retry(settings: Settings, channels: Sequence[Channel], ids: Sequence[str], *, instance: str) -> list[Retried]:
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
    try:
        await parts.prepare()
        box = DeadLetterBox(parts.store.connection)
        return [await _retry_one(parts, box, letter) for letter in ids]
    finally:
        await parts.store.close()


async def _retry_one(parts: Assembly, box: DeadLetterBox, letter: str) -> Retried:
    record = await box.record(letter)
    decoded = decode_batch(parts.decoder, Batch([record], [], 0.0))
    if decoded.dead_letters:
        return Retried(letter, resolved=False, result=decoded.dead_letters[0].reason)
    judged = judge_batch(parts.channels, decoded)
    try:
        (followed,), _, _ = await parts.flusher.store([judged])
    except PoisonError as error:
        return Retried(letter, resolved=False, result=str(error))
    codes = followed.codes[:, 0].tolist()
    takers = [channel.name for channel, code in zip(parts.channels, codes, strict=True) if is_accepted(code)]
    result = f"stored, accepted by {', '.join(takers)}" if takers else "filtered: no channel accepts it"
    await box.mark_resolved(letter, f"retried by ampeld {parts.provenance.version}: {result}")
    return Retried(letter, resolved=True, result=result)
