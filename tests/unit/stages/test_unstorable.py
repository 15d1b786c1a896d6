"""A document that no server can hold costs its own alert a dead letter, and the others nothing."""

from fakes.source import MemorySource
from fakes.store import MemoryStore
from support.packets import alert
from support.pipelines import channel, run

from ampeld.flow.outcome import Outcome
from ampeld.store.errors import UnstorableError

TOPIC = "ztf_20180701_programid1"


class PickyStore(MemoryStore):
    """Refuses one point, as MongoDB refuses what is larger than a document may be."""

    async def write_points(self, new, changed):
        for point in new:
            if point.id == 1002:
                raise UnstorableError("larger than a MongoDB document may be", point.id)
        return await super().write_points(new, changed)


async def test_an_unstorable_alert_is_a_dead_letter_and_the_rest_of_its_batch_is_stored():
    names = ("ZTF18aaaaaab", "ZTF18aaaaaac", "ZTF18aaaaaad")
    values = [alert(candid=1001 + i, name=name) for i, name in enumerate(names)]
    store = PickyStore()
    source = MemorySource({(TOPIC, 0): values})
    await run(source, store, [channel()])
    outcomes = [row.outcome for row in store.rows.values()]
    assert outcomes == [Outcome.STORED, Outcome.DEAD_LETTERED, Outcome.STORED]
    (letter,) = store.dead_letters.values()
    assert letter.stage == "store"
    assert "larger than" in letter.reason
    assert letter.record.value == values[1]
    assert source.committed == {(TOPIC, 0): 3}
