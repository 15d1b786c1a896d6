"""What one daemon suspends, all of them skip; what is resumed anywhere is judged again everywhere."""

from datetime import UTC, datetime

import msgspec
import pytest
from fakes.judge import FakeJudge
from support.pipelines import PROVENANCE, channel

from ampeld.daemon.suspension import SuspensionKeeper
from ampeld.errors import RetryableError
from ampeld.store.suspensions import Suspension

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Stored:
    """The collection, in memory."""

    def __init__(self) -> None:
        self.documents: dict[str, Suspension] = {}
        self.is_away = False

    def _ask(self) -> None:
        if self.is_away:
            raise RetryableError("no primary")

    async def suspend(self, suspension: Suspension) -> None:
        self._ask()
        self.documents.setdefault(suspension.channel, suspension)

    async def suspended(self) -> dict[str, Suspension]:
        self._ask()
        return {name: one for name, one in self.documents.items() if one.suspended}


@pytest.fixture
def stored() -> Stored:
    return Stored()


def keeper_of(stored: Stored) -> tuple[SuspensionKeeper, FakeJudge]:
    judge = FakeJudge()
    return SuspensionKeeper(stored, judge, PROVENANCE), judge  # type: ignore[arg-type]


def punish(keeper: SuspensionKeeper, judge: FakeJudge, name: str = "a") -> None:
    judge.suspend(name)
    keeper.on_suspend(channel(name), "20 errors")


async def test_what_one_daemon_suspends_another_skips(stored: Stored) -> None:
    (one, judge), (other, its_judge) = keeper_of(stored), keeper_of(stored)
    punish(one, judge)
    await one.look()
    await other.look()
    assert its_judge.suspended == {"a"}
    told = other.known["a"]
    assert (told.version, told.reason, told.contact, told.run, told.by) == (
        "version-of-a", "20 errors", "nobody@example.org", "run-1", "main",
    )  # fmt: skip


async def test_what_is_resumed_is_judged_again_with_its_errors_forgotten(stored: Stored) -> None:
    keeper, judge = keeper_of(stored)
    punish(keeper, judge)
    await keeper.look()
    stored.documents["a"] = msgspec.structs.replace(stored.documents["a"], suspended=False)
    await keeper.look()
    assert (judge.suspended, judge.resumed, keeper.known) == (set(), ["a"], {})


async def test_a_suspension_that_the_store_does_not_take_yet_holds_here(stored: Stored) -> None:
    keeper, judge = keeper_of(stored)
    stored.is_away = True
    punish(keeper, judge)
    for _ in range(2):
        with pytest.raises(RetryableError):
            await keeper.look()
    assert judge.suspended == {"a"}
    stored.is_away = False
    await keeper.look()
    assert (judge.suspended, stored.documents.keys()) == ({"a"}, {"a"})


async def test_a_suspension_while_the_store_is_asked_is_not_taken_for_resumed(stored: Stored) -> None:
    keeper, judge = keeper_of(stored)
    answer = stored.suspended

    async def meanwhile() -> dict[str, Suspension]:
        found = await answer()
        punish(keeper, judge, "late")
        return found

    stored.suspended = meanwhile  # type: ignore[method-assign]
    await keeper.look()
    assert judge.suspended == {"late"}
    assert keeper.known.keys() == {"late"}
    stored.suspended = answer  # type: ignore[method-assign]
    await keeper.look()
    assert stored.documents.keys() == {"late"}


async def test_the_word_of_the_first_daemon_stands(stored: Stored) -> None:
    stored.documents["a"] = Suspension(
        channel="a", suspended=True, version="v", since=NOON, reason="first", contact="c", run="r", by="other"
    )
    keeper, judge = keeper_of(stored)
    punish(keeper, judge)
    await keeper.look()
    assert keeper.known["a"].reason == "first"
