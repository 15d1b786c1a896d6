"""Of all who may have measured a ticket exactly one is heard."""

import pytest
from support.tickets import documents, insert_states, key_of, ticket

from ampeld.flow.codes import NEW, OK, PENDING_DEPENDENCY, RERUN_REQUESTED, RUNNING
from ampeld.flow.wanted import Recipe
from ampeld.store.documents import FeatureChange
from ampeld.store.errors import UnstorableError
from ampeld.store.tickets import Ending, Group, Postponed, Tickets, new_token

pytestmark = pytest.mark.mongodb

COUNT = Recipe("Count", "state", {}, 7)
GROUP = Group("Count", 7, "a")


@pytest.fixture
def here(store):
    return Tickets(store.connection, "here")


@pytest.fixture
def there(store):
    return Tickets(store.connection, "there")


def result(ticket_, n=1, full=1):
    what = FeatureChange(ticket_.key, (), (), 0.0, full, OK, body={"n": n}, meta={"ts": 2.0, "n": n})
    return Ending(ticket_.id, ticket_.key, what)


async def claim(tickets, chosen, lease_s):
    token = new_token()
    return token, await tickets.claim(token, chosen, lease_s)


async def ids(tickets, *groups, most=100):
    return await tickets.waiting(groups or [GROUP], most)


async def test_the_newest_alerts_come_first_and_each_group_for_itself(store, here):
    await insert_states(store, [1, 1, 1])
    other = Recipe("Other", "state", {}, 8)
    await store.write_features([ticket(COUNT, stock, jd=jd) for stock, jd in enumerate([2.0, 3.0, 1.0])])
    await store.write_features([ticket(other, 0, channel="b")])
    mine, others, none = await ids(here, GROUP, Group("Other", 8, "b"), Group("Other", 8, "a"))
    assert [one.partition("/")[0] for one in mine] == ["1", "0", "2"]
    assert len(others) == 1
    assert none == []


async def test_the_queue_is_read_by_its_index(store):
    await store.write_features([ticket(COUNT, stock) for stock in range(3)])
    wanted = {"unit": "Count", "config": 7, "channel": "a", "code": {"$in": [-1, -6, -2001]}}
    plan = await store.connection["t2"].find(wanted).sort("jd", -1).explain()
    text = str(plan["queryPlanner"]["winningPlan"])
    assert "'indexName': 'queue'" in text
    assert "'stage': 'SORT'" not in text


async def test_a_ticket_is_claimed_by_one(store, here, there):
    await store.write_features([ticket(COUNT, stock) for stock in range(3)])
    ((*some,),) = await ids(here)
    _, mine = await claim(here, some[:2], 60.0)
    _, theirs = await claim(there, some, 60.0)
    assert len(mine) == 2
    assert [one.id for one in theirs] == some[2:]
    assert await ids(here) == [[]]


async def test_a_result_is_taken_and_ends_the_lease(store, here):
    await store.write_features([ticket(COUNT, 0)])
    token, (one,) = await claim(here, (await ids(here))[0], 60.0)
    assert await here.finish(token, [result(one)]) == 0
    (document,) = (await documents(store)).values()
    assert (document["code"], document["body"], document["channel"]) == (OK, [{"n": 1}], ["a"])
    assert "lease" not in document
    assert await here.finish(token, [result(one, 2)]) == 1
    (document,) = (await documents(store)).values()
    assert document["body"] == [{"n": 1}]


async def test_the_late_result_of_an_ended_lease_is_refused_and_the_next_one_is_taken(store, here, there):
    await store.write_features([ticket(COUNT, 0)])
    late, (one,) = await claim(here, (await ids(here))[0], 0.0)
    assert await here.finish(late, [result(one, 1)]) == 1
    assert await there.free_expired([("Count", 7)]) == 1
    token, (again,) = await claim(there, (await ids(there))[0], 60.0)
    assert await here.finish(late, [result(one, 1)]) == 1
    assert await there.finish(token, [result(again, 2)]) == 0
    (document,) = (await documents(store)).values()
    assert document["body"] == [{"n": 2}]
    assert [entry.get("n") for entry in document["meta"]] == [None, 2]


async def test_a_lease_that_is_renewed_does_not_end_and_one_that_has_ended_is_not_renewed(store, here):
    await store.write_features([ticket(COUNT, 0), ticket(COUNT, 1)])
    ((first, second),) = await ids(here)
    kept, _ = await claim(here, [first], 60.0)
    gone, _ = await claim(here, [second], 0.0)
    await here.renew(kept, [first], 60.0)
    await here.renew(gone, [second], 60.0)
    assert await here.free_expired([("Count", 7)]) == 1


async def test_what_is_given_back_waits_as_it_did_before(store, here):
    await store.write_features([ticket(COUNT, 0), ticket(COUNT, 1, code=PENDING_DEPENDENCY)])
    await store.connection["t2"].update_one({"stock": 0}, {"$set": {"code": RERUN_REQUESTED}})
    token, mine = await claim(here, (await ids(here))[0], 60.0)
    assert {one.code for one in mine} == {RERUN_REQUESTED, PENDING_DEPENDENCY}
    assert {one["code"] for one in (await documents(store)).values()} == {RUNNING}
    await here.give_back(token, [one.id for one in mine])
    assert {key[1]: one["code"] for key, one in (await documents(store)).items()} == {
        0: RERUN_REQUESTED,
        1: PENDING_DEPENDENCY,
    }


async def test_what_is_postponed_is_not_due_before_its_time(store, here):
    await store.write_features([ticket(COUNT, 0), ticket(COUNT, 1)])
    token, (one, two) = await claim(here, (await ids(here))[0], 60.0)
    await here.finish(
        token, [Ending(one.id, one.key, Postponed(NEW, 30.0, 1, 0)), Ending(two.id, two.key, Postponed(NEW, 0.0, 0, 2))]
    )
    assert await ids(here) == [[two.id]]
    assert await here.is_any_due([("Count", 7)], within_s=0.0)
    _, (again,) = await claim(here, [two.id], 60.0)
    assert (again.trials, again.waits) == (0, 2)
    assert not await here.is_any_due([("Count", 7)], within_s=10.0)
    assert await here.is_any_due([("Count", 7)], within_s=60.0)
    assert await here.lengths() == {"Count": (2, 1.0)}


async def test_a_ticket_waits_again_when_fuller_points_were_asked_for_meanwhile(store, here):
    await store.write_features([ticket(COUNT, 0, full=1)])
    token, (one,) = await claim(here, (await ids(here))[0], 60.0)
    await store.write_features([ticket(COUNT, 0, full=2)])
    assert await here.finish(token, [result(one, full=1)]) == 1
    token, (one,) = await claim(here, (await ids(here))[0], 60.0)
    assert one.due == 2
    assert await here.finish(token, [result(one, full=2)]) == 0
    assert (await documents(store))["Count", 0]["code"] == OK


async def test_results_of_one_batch_come_each_to_its_ticket_however_much_they_are_together(store, here):
    await store.write_features([ticket(COUNT, stock) for stock in range(9)])
    token, mine = await claim(here, (await ids(here))[0], 60.0)
    others = [one for one in mine if one.key.stock != 4]
    endings = [result(one, f"{one.key.stock}" * 1_900_000) for one in reversed(others)]  # with 16 MiB a command ends
    (fifth,) = {one.id: one for one in mine}.keys() - {one.id for one in others}
    endings.append(Ending(fifth, key_of(COUNT, 4), Postponed(NEW, 30.0, 1, 0)))
    assert await here.finish(token, endings) == 0
    found = await documents(store)
    assert all(found["Count", one.key.stock]["body"][0]["n"][:2] == f"{one.key.stock}" * 2 for one in others)
    assert (found["Count", 4]["code"], found["Count", 4]["body"]) == (NEW, [])


async def test_a_result_that_no_document_can_hold_is_named_and_nothing_of_the_batch_is_lost(store, here):
    await store.write_features([ticket(COUNT, stock) for stock in range(3)])
    token, (one, two, three) = await claim(here, (await ids(here))[0], 60.0)
    with pytest.raises(UnstorableError) as caught:
        await here.finish(token, [result(one), result(two, 1 << 80), result(three)])
    assert caught.value.document == two.id
    assert await here.finish(token, [result(one), result(two), result(three)]) == 0


async def test_states_are_found_by_object_and_link(store, here):
    await insert_states(store, [2, 3])
    keys = [(key_of(COUNT, stock).stock, key_of(COUNT, stock).link) for stock in (0, 1, 2)]
    assert await here.find_states(keys) == {keys[0]: (0, 1), keys[1]: (1000, 1001, 1002)}
