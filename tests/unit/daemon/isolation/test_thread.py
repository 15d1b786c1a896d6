from pathlib import Path

import pytest
from support.isolation import GOOD, ON_104, batch, channel_files, set_of
from support.pipelines import channel

from ampeld.channel import Filter
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.flow.verdict import ACCEPTED, ERRORED, SKIPPED

NOWHERE = Path("no-catalogs")


@pytest.fixture
async def judge():
    made = ThreadJudge(20, NOWHERE)
    yield made
    await made.close()


async def test_it_judges_with_the_channels_that_were_swapped_in(judge):
    await judge.swap(set_of({"a": GOOD}))
    assert judge.channels[0].cut_names.names == ["bright", "odd"]
    judged = await judge.judge(batch())
    assert judged.channels == judge.channels
    assert judged.codes[0].tolist().count(ACCEPTED) == 4


async def test_a_channel_that_cannot_be_loaded_leaves_the_former_ones(judge):
    await judge.swap(set_of({"a": GOOD}))
    with pytest.raises(ChannelsRefusedError, match="ZeroDivisionError"):
        await judge.swap([channel_files("b", GOOD, head="1 / 0\nclass It:\n")])
    assert [each.name for each in judge.channels] == ["a"]


async def test_errors_spend_the_budget_as_beside_the_daemon(judge):
    await judge.swap(set_of({"a": GOOD, "bad": ON_104.format("1 / 0")}))
    for _ in range(20):
        judged = await judge.judge(batch())
    assert judged.codes[1][4] == ERRORED
    assert judge.suspended == {"bad"}
    judged = await judge.judge(batch())
    assert judged.codes[1].tolist() == [SKIPPED] * 16
    judge.resume("bad")
    assert (await judge.judge(batch())).codes[1][4] == ERRORED


async def test_what_each_channel_costs_is_counted(judge):
    await judge.swap(set_of({"a": GOOD, "b": GOOD}))
    judge.suspend("b")
    for _ in range(3):
        await judge.judge(batch(private=(1,)))
    cost = judge.costs.by_channel["a"]
    assert cost.alerts == 45
    assert cost.us_per_alert > 0
    assert judge.costs.by_channel["b"].us_per_alert is None


async def test_a_new_version_begins_its_count_anew(judge):
    await judge.swap(set_of({"a": GOOD}))
    await judge.judge(batch())
    await judge.swap(set_of({"a": GOOD.replace("19.0", "18.0")}))
    await judge.judge(batch(2))
    assert judge.costs.by_channel["a"].alerts == 2


async def test_channels_can_be_given_as_they_are():
    judge = ThreadJudge(20, NOWHERE, [channel("all"), channel("none", Filter())])
    assert (await judge.judge(batch(2))).codes.tolist() == [[ACCEPTED] * 2] * 2
    await judge.close()
