"""What a channel said of an alert or an object is found in the verdict blocks: the newest night, the newest word."""

from datetime import date

import pytest
from support.store import CHANNELS, an_account, dead, filtered, stored

from ampeld.flow.verdict import ACCEPTED, CUT, describe
from ampeld.store.documents import ChannelVersion
from ampeld.store.mongodb import MongoStore
from ampeld.store.search import VerdictSearch

pytestmark = pytest.mark.mongodb


@pytest.fixture
async def store(mongodb, database):
    real = MongoStore(mongodb, database)
    await real.prepare()
    await real.cut_numbers("v1", ["rb", "drb"])
    await real.cut_numbers("v2", ["rb", "young"])
    yield real
    await real.close()


@pytest.fixture
def search(store):
    return VerdictSearch(store.connection)


async def test_an_alert_is_found_by_its_candid_each_time_that_it_came(store, search):
    await store.write_account(an_account(stored(0, 900), filtered(1, 901), stored(3, 900), dead(4)))
    found = await search.of_alert("young", 900)
    assert [str(verdict.coordinates) for verdict in found] == ["night/0/0", "night/0/3"]
    assert {describe(verdict.code, list(verdict.cuts)) for verdict in found} == {"rejected by rb"}
    assert (found[0].version, found[0].night, found[0].stock) == ("v2", date(2019, 4, 14), 7)
    assert await search.of_alert("young", 902) == []
    assert await search.of_alert("nobody", 900) == []


async def test_of_an_object_only_the_newest_night_is_told_and_no_older_one_is_looked_through(store, search):
    await store.write_account(an_account(filtered(0, 900, night=18000), filtered(1, 901, night=18000, stock=8)))
    await store.write_account(an_account(filtered(2, 902, night=18002), filtered(3, 903, night=18002)))
    await store.write_account(an_account(filtered(4, 904, night=18003, stock=8)))
    nights = []
    found = await search.of_object("bright", 7, told=nights.append)
    assert [verdict.candid for verdict in found] == [902, 903]
    assert nights == [date(2019, 4, 17), date(2019, 4, 16)]
    assert await search.of_object("bright", 9) == []


async def test_the_newest_word_on_a_record_counts(store, search):
    await store.write_account(an_account(filtered(0, 900), run="r1"))
    later = (ChannelVersion("bright", "v2"), CHANNELS[1])
    await store.write_account(an_account(filtered(0, 900, codes=(CUT + 1, ACCEPTED)), run="r2", channels=later))
    (verdict,) = await search.of_alert("bright", 900)
    assert (verdict.version, describe(verdict.code, list(verdict.cuts))) == ("v2", "rejected by young")


async def test_a_block_of_other_channels_does_not_tell(store, search):
    await store.write_account(an_account(filtered(0, 900, codes=(CUT,)), channels=CHANNELS[:1]))
    assert await search.of_alert("young", 900) == []
    assert len(await search.of_alert("bright", 900)) == 1
