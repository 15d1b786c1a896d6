"""Turn payloads into columns, in a thread; what can never be read becomes a dead letter."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import structlog

from ampeld.alert.decode import Decoder
from ampeld.flow.failpoint import reach
from ampeld.flow.pipe import Receiver, Sender
from ampeld.flow.record import Batch
from ampeld.stages.reader import Reader
from ampeld.stages.values import Decoded
from ampeld.store.documents import DeadLetter

DISAGREEMENT = "the kernel refused an alert that fastavro reads; fastavro has decoded the batch: please report it"

log = structlog.get_logger("ampeld.decode")


async def decode(
    inbox: Receiver[Batch],
    outbox: Sender[Decoded],
    *,
    reader: Reader,
    executor: Executor,
    on_schema: Callable[[str, str, Sequence[str]], None],
    on_decoded: Callable[[float], None],
) -> None:
    """Decode every batch.

    ``on_schema`` is told once of each schema's fingerprint, version and fields that are new to the survey's tables,
    ``on_decoded`` of each batch's seconds.
    """
    loop = asyncio.get_running_loop()
    decoder = reader.decoder
    told: set[str] = set()
    disagreements = 0
    with inbox, outbox:
        async for batch in inbox:
            await reader.prepare([record.value for record in batch.records])
            began = loop.time()
            decoded = await loop.run_in_executor(executor, decode_batch, decoder, batch)
            on_decoded(loop.time() - began)
            if decoder.disagreements > disagreements:
                disagreements = decoder.disagreements
                log.error("decode.disagreement", batches=disagreements, meaning=DISAGREEMENT)
            for fingerprint in decoder.schemas.keys() - told:
                told.add(fingerprint)
                on_schema(fingerprint, decoder.schemas[fingerprint], decoder.additions[fingerprint])
            reach("after_decode")
            await outbox.send(decoded)


def decode_batch(decoder: Decoder, batch: Batch) -> Decoded:
    """Return the columns of the valid alerts of a batch, and a dead letter for every other record."""
    refused = [DeadLetter(r, "source", r.refusal, None) for r in batch.records if r.refusal is not None]
    readable = [i for i, record in enumerate(batch.records) if record.refusal is None]
    alerts = decoder.decode([batch.records[i].value for i in readable])
    poison = [DeadLetter(batch.records[readable[p.index]], p.stage, p.reason, p.schema) for p in alerts.poison]
    return Decoded(batch, alerts.table, [readable[i] for i in alerts.rows], refused + poison)
