"""A replay ends where a run without a suspension would have ended: documents, outcomes and account, on a real MongoDB."""

import asyncio
from datetime import timedelta

import pytest
from fakes.source import MemorySource
from support.packets import alert, detection
from support.pipelines import PROVENANCE, channel, pipeline

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import ZTF
from ampeld.channel import Filter
from ampeld.daemon.replay import Replay
from ampeld.flow.record import Coordinates, Record
from ampeld.flow.verdict import CUT, ERRORED, SKIPPED
from ampeld.source.refetch import Gone
from ampeld.stages.deduplicate import Flusher
from ampeld.stages.filter import judge_batch
from ampeld.stages.reader import Reader
from ampeld.store.blocks import decode_block, rows_of
from ampeld.store.gates import now
from ampeld.store.mongodb import MongoStore
from ampeld.store.reader import AccountReader
from ampeld.store.skipped import find_debt
from ampeld.store.versions import ChannelVersions

pytestmark = pytest.mark.mongodb

PLACE = ("night", 0)


class Bright(Filter):
    def cuts(self, a):
        yield "real", a.rb >= 0.5
        yield "bright", a.magpsf <= 19.0


class Even(Filter):
    def cuts(self, a):
        yield "even", a.magpsf <= 30.0

    def accept(self, alert):
        return alert.candid % 2 == 0


class Failing(Filter):
    def accept(self, alert):
        raise ValueError(f"no: {alert.candid}")


def alerts():
    """Return alerts of three objects, each seen four times with its history, the last one sent twice."""
    sent = []
    for number in range(3):
        history = []
        for day in range(4):
            candid, jd = 1000 * (number + 1) + 10 * day + (number + day) % 2, 2459000.5 + day
            mag = 18.0 + (number + day) % 3
            sent.append(alert(f"ZTF18aaaaaa{'abc'[number]}", candid, jd, list(history), magpsf=mag))
            history.append(detection(candid, jd, magpsf=mag))
    return [*sent, sent[-1]]


def bright():
    return channel("bright", Bright(), on_known="bypass")


def even(filter_=None, version="even-1"):
    return channel("even", filter_ or Even(), version=version)


class Kept:
    """Kafka, as far as it still has what was sent."""

    def __init__(self, payloads, *, first=0):
        self.records = {
            Coordinates(*PLACE, offset): Record(
                topic=PLACE[0], partition=PLACE[1], offset=offset, value=value, after=offset, through=offset
            )
            for offset, value in enumerate(payloads)
            if offset >= first
        }
        self.asked = 0

    async def fetch(self, coordinates):
        self.asked += len(coordinates)
        return {place: self.records.get(place) or Gone(place, "retention took it", 17) for place in coordinates}


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare(keep_days=30)
    yield real
    await real.close()


async def run(store, channels, payloads, *, suspended=()):
    made = pipeline(MemorySource({PLACE: payloads}), store, channels, max_records=4)
    for name in suspended:
        made._judge.suspend(name)
    await made.run(asyncio.Event())


def replay_of(store, channel_, kept):
    async def judge(decoded):
        return judge_batch([channel_], decoded)

    return Replay(
        channel_,
        judge=judge,
        fetcher=kept,
        reader=Reader(Decoder(2 * 2**20, ZTF)),
        flusher=Flusher(store, PROVENANCE, "test"),
        facts=ChannelVersions(store.connection).facts,
    )


async def debt_of(store, since):
    return await find_debt(store.connection, "even", group="test", since=since)


async def documents(store):
    """Return what the run left, without the times and the newest-20 provenance of when it was written."""
    found = {}
    for name in ("t0", "t1", "stock"):
        drop = {"_id", "meta", "ts", "journal", "rev", "swap"} if name != "t0" else {"meta"}
        rows = await store.connection[name].find().to_list(None)
        found[name] = sorted(
            (
                {
                    key: sorted(value) if isinstance(value, list) else value
                    for key, value in row.items()
                    if key not in drop
                }
                for row in rows
            ),
            key=repr,
        )
    return found


async def newest(store):
    """Return the newest row of each offset, with the versions of the channels."""
    found = {}
    for document in await store.connection["verdict_blocks"].find().sort("written", 1).to_list(None):
        block = decode_block(document)
        found |= {row.coordinates.offset: (row, block.channels) for row in rows_of(block)}
    return found


async def test_a_replay_leaves_what_a_run_without_a_suspension_would_have_left(store, mongodb, database):
    payloads, since = alerts(), now()
    await run(store, [bright(), even()], payloads, suspended=["even"])
    debt = await debt_of(store, since)
    assert debt.total == len(payloads)
    told = []
    result = await replay_of(store, even(), Kept(payloads)).run(debt, done=told.append)
    assert (result.owed, result.lost, result.errored, told[-1]) == (len(payloads), [], 0, len(payloads))

    control = MongoStore(mongodb, f"{database}_c")
    try:
        await control.prepare(keep_days=30)
        await run(control, [bright(), even()], payloads)
        assert await documents(store) == await documents(control)
        ours, theirs = await newest(store), await newest(control)
        assert {o: (r.outcome, r.links) for o, (r, _) in ours.items()} == {
            o: (r.outcome, r.links) for o, (r, _) in theirs.items()
        }
        reports = [await AccountReader(one.connection).report(group="test") for one in (store, control)]
        assert [report.balanced for report in reports] == [True, True], reports[0].problems
        assert reports[0].channels == reports[1].channels
    finally:
        await control.connection.database.client.drop_database(f"{database}_c")
        await control.close()


async def test_a_second_replay_finds_nothing_to_do(store):
    payloads, since = alerts(), now()
    await run(store, [bright(), even()], payloads, suspended=["even"])
    kept = Kept(payloads)
    await replay_of(store, even(), kept).run(await debt_of(store, since))
    before, asked = await newest(store), kept.asked
    debt = await debt_of(store, since)
    assert debt.total == 0
    await replay_of(store, even(), kept).run(debt)
    assert (await newest(store), kept.asked) == (before, asked)


async def test_a_mended_channel_is_named_by_the_version_that_judged(store):
    payloads, since = alerts(), now()
    await run(store, [bright(), even(Failing(), "even-0")], payloads)
    result = await replay_of(store, even(version="even-1"), Kept(payloads)).run(await debt_of(store, since))
    assert result.owed == len(payloads)  # it failed on every alert
    for row, channels in (await newest(store)).values():
        assert [held.version for held in channels] == ["version-of-bright", "even-1"]
        assert row.codes[1] not in {ERRORED, SKIPPED}
    report = await AccountReader(store.connection).report(group="test")
    assert report.balanced, report.problems


async def test_what_is_gone_stays_skipped_and_is_named_with_its_number(store):
    payloads, since = alerts(), now()
    await run(store, [bright(), even()], payloads, suspended=["even"])
    result = await replay_of(store, even(), Kept(payloads, first=5)).run(await debt_of(store, since))
    (lost,) = result.lost
    assert (lost.reason, lost.number, lost.first, lost.last, lost.oldest_ms) == (
        "retention took it", 5, "night/0/0", "night/0/4", 17,
    )  # fmt: skip
    codes = {offset: row.codes[1] for offset, (row, _) in (await newest(store)).items()}
    assert [offset for offset, code in codes.items() if code == SKIPPED] == [0, 1, 2, 3, 4]


async def test_what_fails_again_stays_owed(store):
    payloads, since = alerts(), now()
    await run(store, [even()], payloads, suspended=["even"])
    result = await replay_of(store, even(Failing()), Kept(payloads)).run(await debt_of(store, since))
    assert (result.errored, result.is_settled) == (len(payloads), False)
    assert (await debt_of(store, since)).total == len(payloads)


async def test_another_alert_at_the_same_place_is_not_taken_for_the_one_that_was_skipped(store):
    payloads, since = alerts(), now()
    await run(store, [even()], payloads[:2], suspended=["even"])
    result = await replay_of(store, even(), Kept(payloads[2:4])).run(await debt_of(store, since))
    assert [(lost.reason, lost.number) for lost in result.lost] == [
        ("another alert lies there: the topic was made anew", 2)
    ]


async def test_only_what_was_skipped_since_the_suspension_is_owed(store):
    payloads = alerts()
    await run(store, [even()], payloads, suspended=["even"])
    assert (await debt_of(store, now() + timedelta(minutes=5))).total == 0
    assert (await find_debt(store.connection, "bright", group="test", since=now() - timedelta(1))).total == 0
    assert (await find_debt(store.connection, "even", group="other", since=now() - timedelta(1))).total == 0


async def test_verdicts_of_the_others_keep_their_cuts(store):
    payloads, since = alerts(), now()
    await run(store, [bright(), even()], payloads, suspended=["even"])
    before = {offset: row.codes[0] for offset, (row, _) in (await newest(store)).items()}
    assert any(code >= CUT for code in before.values())
    await replay_of(store, even(), Kept(payloads)).run(await debt_of(store, since))
    assert {offset: row.codes[0] for offset, (row, _) in (await newest(store)).items()} == before
