"""The decode stage says so when the kernel was wrong, and passes on what the oracle makes of the batch."""

import asyncio

import numpy as np
from structlog.testing import capture_logs
from support.ztf_packets import CANDID, encode, packet

from ampeld.alert import program
from ampeld.alert.decode import Decoder
from ampeld.flow.pipe import open_pipe
from ampeld.flow.record import Batch, Record
from ampeld.stages.decode import decode
from ampeld.stages.reader import Reader


async def test_a_disagreement_is_an_error_in_the_log_and_costs_no_alert(monkeypatch):
    nothing = np.array([program.SKIP, -1, 1, 0, 0, -1, program.END, 0, 0, 0, 0, 0], dtype=np.int64)
    monkeypatch.setattr("ampeld.alert.decode_columns.record_program", lambda *_: nothing)
    record = Record(topic="ztf", partition=0, offset=0, value=encode(packet()), after=0, through=0)
    to_decode, inbox = open_pipe("fetched", 4)
    outbox, decoded = open_pipe("decoded", 4)
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            stage = decode(
                inbox,
                outbox,
                reader=Reader(Decoder(10_000_000)),
                executor=None,
                on_schema=lambda *_: None,
                on_decoded=lambda _: None,
            )
            tasks.create_task(stage, name="decode")
            with to_decode:
                for _ in range(2):
                    await to_decode.send(Batch([record], [], 0.0))
    assert [result.table.candid.tolist() async for result in decoded] == [[CANDID], [CANDID]]
    told = [log for log in logs if log["event"] == "decode.disagreement"]
    assert [(log["log_level"], log["batches"]) for log in told] == [("error", 1), ("error", 2)]
