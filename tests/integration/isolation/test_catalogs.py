"""Channels that search in catalogues, in a filter process of their own."""

from pathlib import Path

import pytest
from support.catalogs import make_catalog, write_csv
from support.isolation import batch, channel_files, filter_processes

from ampeld.catalog.choice import Wanted
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import import_tables
from ampeld.daemon.catalogs import digests_in
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.daemon.reload import Reloader
from ampeld.flow.verdict import ACCEPTED, ERRORED

NEAR = """
    def catalogs(self):
        return {"stars": ["mag"]}

    def cuts(self, a):
        yield "near", (a.near("stars", 5).mag < 18).any()
"""
UNSAID = """
    def cuts(self, a):
        yield "near", a.near("strs", 5).count() == 0
"""
DAMAGING = """
    def cuts(self, a):
        a.near("stars", 5)._catalog.array("mag").setflags(write=True)
        a.near("stars", 5)._catalog.array("mag")[:] = 0
        yield "near", a.rb > 0
"""
MINE = {"ra": [10.0], "dec": [20.0], "mag": [15.0]}  # where every alert of `batch` is


@pytest.fixture
def catalogs(tmp_path: Path) -> Path:
    make_catalog(tmp_path / "catalogs", "stars", **MINE)
    return tmp_path / "catalogs"


@pytest.fixture
async def judge(catalogs):
    made = ProcessJudge(Rules(deadline_s=5.0, memory_mb=64, error_budget=1000), catalogs)
    yield made
    await made.close()
    assert not filter_processes()


async def codes(judge):
    return set((await judge.judge(batch())).codes.ravel().tolist())


async def test_a_channel_finds_what_is_near_its_alerts(judge):
    await judge.swap([channel_files("near", NEAR)])
    assert await codes(judge) == {ACCEPTED}


async def test_a_channel_whose_catalogue_is_missing_is_refused_and_the_others_go_on(judge, catalogs):
    await judge.swap([channel_files("near", NEAR)])
    (catalogs / "stars").rename(catalogs / "star")
    with pytest.raises(ChannelsRefusedError) as caught:
        await judge.swap([channel_files("near", NEAR)])
    (problem,) = caught.value.by_channel["near"]
    assert "there is no catalogue 'stars'; did you mean 'star'? (there: star)" in problem
    assert await codes(judge) == {ACCEPTED}


async def test_a_catalogue_that_turns_out_to_be_missing_is_an_error_on_every_alert(judge):
    await judge.swap([channel_files("near", UNSAID)])
    judged = await judge.judge(batch())
    assert set(judged.codes.ravel().tolist()) == {ERRORED}
    assert "there is no catalogue 'strs'; did you mean 'stars'?" in judged.failures[0][0].error


async def test_a_channel_cannot_change_a_catalogue(judge):
    await judge.swap([channel_files("bad", DAMAGING), channel_files("near", NEAR)])
    judged = await judge.judge(batch())
    assert [set(codes.tolist()) for codes in judged.codes] == [{ERRORED}, {ACCEPTED}]


class AllPass:
    required = False

    async def opened(self, files):
        return frozenset((one.name, one.version) for one in files)

    async def former(self, files: ChannelFiles) -> None:
        raise AssertionError(files)


async def test_a_reload_takes_a_catalogue_that_was_imported_meanwhile(judge, catalogs, tmp_path):
    async def register(*_):
        pass

    (tmp_path / "channels").mkdir()
    files = channel_files("near", NEAR)
    (tmp_path / "channels" / "near.toml").write_text(files.text)
    (tmp_path / "channels" / "near.py").write_text(files.modules["near.py"])
    digests = lambda: digests_in(catalogs)  # noqa: E731
    reloader = Reloader(tmp_path / "channels", "ztf", judge=judge, gates=AllPass(), register=register, catalogs=digests)
    await reloader.load([files])
    await reloader.begin()
    table = write_csv(tmp_path / "faint.csv", **(MINE | {"mag": [19.0]}))
    import_tables(catalogs, Request(name="stars", paths=[table], wanted=Wanted(), replace=True))
    assert await codes(judge) == {ACCEPTED}
    assert (await reloader.reload()).changes == 0
    assert ACCEPTED not in await codes(judge)
