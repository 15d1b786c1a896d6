"""Units and channels get the same time each, and who has few tickets waits for few."""

from ampeld.daemon.measuring.rota import AHEAD, AT_ONCE, Costs, Rota, groups_of, take_in_turns
from ampeld.store.tickets import Group

MANY = [f"many-{i}" for i in range(1000)]


class Queues:
    """Tickets by channel."""

    def __init__(self, **queues):
        self.queues = queues
        self.asked = 0

    async def waiting(self, groups, most):
        self.asked += 1
        return [self.queues.get(group.channel, [])[:most] for group in groups]


def group(channel):
    return Group("Unit", 1, channel)


def test_a_group_with_few_tickets_has_its_turn_beside_one_with_many():
    chosen, last = take_in_turns([MANY, ["few-0", "few-1"]], [1.0, 1.0], most=6, most_ms=1e9)
    assert chosen == ["many-0", "few-0", "many-1", "few-1", "many-2", "many-3"]
    assert last == 0


def test_a_group_of_slow_units_gets_as_much_time_as_one_of_quick_ones():
    slow = [f"slow-{i}" for i in range(100)]
    chosen, _ = take_in_turns([MANY, slow], [1.0, 50.0], most=512, most_ms=400.0)
    assert sum(one.startswith("slow") for one in chosen) == 4
    assert 150 <= sum(one.startswith("many") for one in chosen) <= 250


def test_one_that_takes_longer_than_a_batch_may_is_taken_alone():
    assert take_in_turns([["a", "b"]], [1e6], most=512, most_ms=2000.0) == (["a"], 0)


def test_a_ticket_that_two_channels_ask_for_is_taken_once():
    assert take_in_turns([["a", "b"], ["b", "c"]], [1.0, 1.0], most=9, most_ms=1e9) == (["a", "b", "c"], None)


async def test_the_next_batch_begins_behind_the_group_where_the_last_one_was_full():
    rota = Rota(Queues(a=["a"], b=["b"], c=["c"]), lambda _: 1.0)
    groups = [group(channel) for channel in "abc"]
    taken = [await rota.look(groups, most=1, most_ms=1e9) for _ in range(4)]
    assert taken == [["a"], ["b"], ["c"], ["a"]]


async def test_quick_tickets_are_looked_for_once_for_some_batches():
    queues = Queues(a=MANY)
    rota = Rota(queues, lambda _: 1.0)
    taken = [await rota.look([group("a")], most=10, most_ms=1e9) for _ in range(AHEAD)]
    assert [one for some in taken for one in some] == MANY[: 10 * AHEAD]
    assert queues.asked == 1
    await rota.look([group("a")], most=10, most_ms=1e9)
    assert queues.asked == 2


async def test_together_they_take_no_longer_than_one_batch_may():
    rota = Rota(Queues(a=MANY), lambda _: 1.0)
    taken = [await rota.look([group("a")], most=10, most_ms=25.0) for _ in range(4)]
    assert taken == [MANY[:10], MANY[10:20], MANY[20:25], MANY[:10]]


async def test_what_others_have_taken_or_what_is_no_longer_served_is_looked_for_anew():
    queues = Queues(a=MANY, b=["b"])
    rota = Rota(queues, lambda _: 1.0)
    await rota.look([group("a")], most=10, most_ms=1e9)
    queues.queues["a"] = MANY[500:]
    rota.look_anew()
    assert await rota.look([group("a")], most=10, most_ms=1e9) == MANY[500:510]
    assert await rota.look([group("b")], most=10, most_ms=1e9) == ["b"]


async def test_a_circle_without_tickets_is_through_when_all_groups_were_looked_at():
    queues = Queues(c9=[])
    rota = Rota(queues, lambda _: 1.0)
    groups = [group(f"c{number:02d}") for number in range(2 * AT_ONCE + 1)]
    through = []
    while not through or not through[-1]:
        assert await rota.look(groups, most=10, most_ms=1e9) == []
        through.append(rota.is_through)
    assert through == [False, False, True]
    queues.queues["c20"] = ["found"]
    found = []
    while not found:
        found = await rota.look(groups, most=10, most_ms=1e9)
    assert found == ["found"]


async def test_who_serves_no_group_is_through_at_once_and_asks_nothing():
    queues = Queues()
    rota = Rota(queues, lambda _: 1.0)
    assert await rota.look([], most=10, most_ms=1e9) == []
    assert rota.is_through
    assert not queues.asked


def test_what_a_unit_costs_is_learned():
    costs = Costs()
    before = costs.of(group("a"))
    for _ in range(200):
        costs.note(("Unit", 1), 100.0)
    assert before < costs.of(group("a")) == 100.0


def test_a_unit_that_says_that_it_is_slow_fills_a_batch_sooner_until_it_is_measured():
    costs = Costs()
    costs.expect([("Unit", 1)])
    assert costs.of(group("a")) > 20 * Costs().of(group("a"))
    for _ in range(200):
        costs.note(("Unit", 1), 1.0)
    costs.expect([("Unit", 1)])
    assert costs.of(group("a")) < 2.0


def test_groups_are_units_in_force_by_channels_that_ask():
    keys = [("A", 1), ("B", 2)]
    assert groups_of(keys, {"x": [("B", 2), ("C", 3)], "w": [("A", 1), ("B", 2)]}) == [
        Group("A", 1, "w"),
        Group("B", 2, "w"),
        Group("B", 2, "x"),
    ]
