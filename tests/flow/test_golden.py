"""The pipeline on real alerts gives AMPEL's own numbers, from files and in any delivery (fakes; servers elsewhere)."""

import random

import pytest
from fakes.source import MemorySource
from fakes.store import MemoryStore
from support.golden import CUTS, EVERYTHING, RUNS, TARBALLS, archive, expected_points, expected_states, golden
from support.pipelines import channel, run

from ampeld.channel.decent import DecentFilter
from ampeld.channel.passall import PassAll
from ampeld.flow.verdict import cut_name, is_accepted
from ampeld.params import build
from ampeld.source.files import FileSource

pytestmark = pytest.mark.golden


def channel_of(results, run_name):
    """Return the channel that a run of AMPEL had."""
    configuration = RUNS[run_name]
    filter_ = PassAll() if configuration is None else build(DecentFilter, results["filter_configs"][configuration])
    return channel("golden", filter_, access=EVERYTHING)


async def payloads(tarball):
    """Return the packets of a tarball in their order."""
    async with FileSource([archive(tarball)]) as source:
        found = []
        while (batch := await source.fetch(max_records=100, timeout_s=1)) is not None:
            found += [record.value for record in batch.records]
            for record, ledger in zip(batch.records, batch.ledgers, strict=True):
                ledger.settle(record.offset)
        return found


@pytest.mark.parametrize("run_name", RUNS)
@pytest.mark.parametrize("tarball", TARBALLS)
@pytest.mark.parametrize("max_records", [1, 7, 500])
async def test_files_give_the_points_states_counts_and_verdicts_of_ampel(tarball, run_name, max_records):
    results = golden(tarball)
    judge = channel_of(results, run_name)
    store = MemoryStore()
    async with FileSource([archive(tarball)]) as source:
        await run(source, store, [judge], max_records=max_records)
    counts = results[run_name]["counts"]
    assert (len(store.objects), len(store.points), len(store.states)) == (counts["stock"], counts["t0"], counts["t1"])
    assert set(store.states) == expected_states(results, run_name)
    assert {number: sorted(point["tag"]) for number, point in store.points.items()} == expected_points(
        results, run_name
    )
    for state in results[run_name]["states"]:
        ours = store.states[state["stock"], state["link"]]["dps"]
        assert ours == state["dps"] if "dps" in state else len(ours) == state["n"]
    if RUNS[run_name]:
        rows = {row.candid: row.codes[0] for row in store.rows.values()}
        for alert in results["alerts"]:
            verdict = alert["filters"][RUNS[run_name]]
            code = rows[alert["alert"]]
            assert is_accepted(code) == verdict["accept"]
            if not verdict["accept"]:
                (reason,) = verdict["reason"]
                assert cut_name(code, judge.cut_names.names) == CUTS[reason]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tarball", TARBALLS)
async def test_repeated_deliveries_over_partitions_give_the_same_documents(tarball, seed):
    results = golden(tarball)
    chance = random.Random(seed)
    values = [value for value in await payloads(tarball) for _ in range(chance.randint(1, 5))]
    store = MemoryStore()
    await run(MemorySource({("t", 0): values}), store, [channel_of(results, "db_nofilter_flush_per_alert")])
    assert set(store.states) == expected_states(results, "db_nofilter_flush_per_alert")
    assert len(store.points) == results["db_nofilter_flush_per_alert"]["counts"]["t0"]


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_gives_the_same_points_and_the_same_newest_state(seed):
    results = golden("ZTF18abxhyqv")
    values = await payloads("ZTF18abxhyqv")
    last = results["db_nofilter_flush_per_alert"]["states"][-1]
    random.Random(seed).shuffle(values)
    store = MemoryStore()
    judge = channel_of(results, "db_nofilter_flush_per_alert")
    await run(MemorySource({("t", 0): values}), store, [judge], max_records=1 + seed % 3)
    (document,) = store.objects.values()
    assert document.state["golden"].link == last["link"]
    assert store.states[document.id, last["link"]]["dps"] == last["dps"]
    assert len(store.points) == results["db_nofilter_flush_per_alert"]["counts"]["t0"]
