"""The end of ``until_end``: our own part read, and what others hold done or given up."""

from types import SimpleNamespace

from aiokafka.structs import TopicPartition

from ampeld.errors import RetryableError
from ampeld.source.ending import Ending
from ampeld.source.settings import KafkaSettings

A, B = TopicPartition("night", 0), TopicPartition("night", 1)


class Group:
    """One member that holds A, and what the brokers say of B."""

    def __init__(self, *, position=10, ends=None, until_end=True, session_s=6.0):
        ledger = SimpleNamespace(position=position)
        self.member = SimpleNamespace(
            is_assigned=True,
            assignment=SimpleNamespace(pending=set(), ledgers={A: ledger}),
            consumer=SimpleNamespace(_subscription=SimpleNamespace(subscription=None)),
        )
        self.committed = {}
        self.asked = 0
        watch = SimpleNamespace(ends={A: 10, B: 10} if ends is None else ends)
        settings = KafkaSettings(
            brokers=("b",), topics=("night",), group="g", until_end=until_end, session_timeout_s=session_s
        )
        self.ending = Ending(settings, watch, self.ask)

    async def ask(self, member, partitions):
        self.asked += 1
        if isinstance(self.committed, Exception):
            raise self.committed
        return {partition: self.committed[partition] for partition in partitions if partition in self.committed}


async def test_a_daemon_without_until_end_never_ends():
    assert not await Group(until_end=False).ending.is_reached(Group().member)


async def test_nothing_to_read_is_the_end():
    group = Group(ends={})
    assert await group.ending.is_reached(group.member)


async def test_our_own_part_comes_first():
    group = Group(position=9)
    group.committed = {B: 10}
    assert not await group.ending.is_reached(group.member)
    assert not group.asked


async def test_a_position_beyond_the_log_is_no_end_before_a_broker_has_answered():
    group = Group(position=11, ends={A: 10})
    assert not await group.ending.is_reached(group.member)
    state = SimpleNamespace(highwater=12, has_valid_position=True, position=11)
    group.member.consumer._subscription.subscription = subscription_of({A: state})
    assert await group.ending.is_reached(group.member)
    state.highwater = 5
    assert not await group.ending.is_reached(group.member)


def subscription_of(states):
    return SimpleNamespace(assignment=SimpleNamespace(state_value=states.get, tps=states))


async def test_what_another_member_has_not_committed_is_waited_for():
    group = Group()
    group.committed = {B: 9}
    assert not await group.ending.is_reached(group.member)


async def test_it_is_the_end_when_the_others_have_committed_theirs():
    group = Group()
    group.committed = {B: 10}
    assert await group.ending.is_reached(group.member)


async def test_brokers_that_do_not_answer_are_asked_again():
    group = Group()
    group.committed = RetryableError("no broker answers")
    assert not await group.ending.is_reached(group.member)


async def test_others_are_not_waited_for_longer_than_a_dead_one_would_be_a_member():
    group = Group(session_s=-10.0)
    await group.ending.is_reached(group.member)
    assert await group.ending.is_reached(group.member)
