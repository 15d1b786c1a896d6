"""Files change while the daemon runs: what is right is swapped in, what is wrong changes nothing and says so."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.judge import FakeJudge

from ampeld.channel.channel import Channel
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.files import ChannelFiles, read_files, read_survey
from ampeld.daemon.reload import Reloader
from ampeld.errors import ConfigError

PASS = 'filter = "ampeld.channel.passall:PassAll"\ncontact = "a@example.org"\n'
REAL = 'filter = "real.py:Real"\ncontact = "a@example.org"\n'
MODULE = "from ampeld.channel import Filter\nclass Real(Filter):\n    min_rb: float = 0.5\n"
WRONG = "filter = ["


class Gates:
    """Gates that a test opens."""

    def __init__(self, *, required: bool = False) -> None:
        self.required = required
        self.open: set[tuple[str, str]] = set()
        self.kept: dict[str, ChannelFiles] = {}

    async def opened(self, files: Sequence[ChannelFiles]) -> frozenset[tuple[str, str]]:
        return frozenset(self.open & {(one.name, one.version) for one in files})

    async def former(self, files: ChannelFiles) -> ChannelFiles | None:
        return self.kept.get(files.name)

    def pass_all(self, directory: Path) -> None:
        self.open |= {(one.name, one.version) for one in read_files(directory)}


class World:
    """A directory, a judge, and what was registered."""

    def __init__(self, directory: Path, *, required: bool = False, survey: str = "ztf") -> None:
        self.directory = directory
        self.survey = survey
        self.judge = FakeJudge()
        self.gates = Gates(required=required)
        self.registered: list[tuple[str, str]] = []
        self.reloader = Reloader(directory, survey, judge=self.judge, gates=self.gates, register=self.register)

    async def register(self, files: Sequence[ChannelFiles], channels: Sequence[Channel] | None) -> None:
        if channels is None:
            self.registered += [(one.name, one.version) for one in files]

    def write(self, **texts: str | None) -> None:
        for name, text in texts.items():
            path = self.directory / name.replace("__", ".")
            path.unlink(missing_ok=True) if text is None else path.write_text(text)

    @property
    def running(self) -> dict[str, str]:
        return {channel.name: channel.version for channel in self.judge.channels}

    async def begin(self) -> None:
        await self.reloader.load(read_survey(self.directory, self.survey))
        await self.reloader.begin()


@pytest.fixture
async def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write(a__toml=REAL, b__toml=PASS, real__py=MODULE)
    await made.begin()
    return made


async def test_files_that_are_what_they_were_swap_nothing(world: World) -> None:
    done = await world.reloader.reload()
    assert (done.number, done.changes, done.kept) == (1, 0, {})
    assert len(world.judge.swaps) == 1  # that of the start


async def test_what_was_added_changed_and_removed_is_swapped_at_once(world: World) -> None:
    before = world.running
    world.write(real__py=MODULE.replace("0.5", "0.6"), b__toml=None, c__toml=PASS)
    done = await world.reloader.reload()
    assert (done.added, done.changed, done.removed) == (["c"], ["a"], ["b"])
    assert world.running.keys() == {"a", "c"}
    assert world.running["a"] != before["a"]
    assert len(world.judge.swaps) == 2
    assert ("a", world.running["a"]) in world.registered  # before it judges


async def test_a_wrong_file_keeps_the_old_version_and_the_others_go_on(world: World) -> None:
    before = world.running
    world.write(a__toml=REAL + "[params]\nmin_br = 1\n", b__toml=PASS + 'on_known = "bypass"\n')
    done = await world.reloader.reload()
    assert done.changed == ["b"]
    assert done.kept == {
        "a": [f"{world.directory}/a.toml:4: params.min_br: Real has no such parameter; did you mean 'min_rb'?"]
    }
    assert world.running["a"] == before["a"]
    world.write(a__toml=REAL)
    assert (await world.reloader.reload()).kept == {}


@pytest.mark.parametrize("text", [WRONG, REAL.replace("real.py", "reel.py")])
async def test_a_new_channel_that_is_wrong_is_told_and_does_not_run(world: World, text: str) -> None:
    world.write(c__toml=text)
    done = await world.reloader.reload()
    assert done.kept.keys() == {"c"}
    assert done.changes == 0
    assert world.running.keys() == {"a", "b"}


async def test_a_file_that_cannot_be_read_keeps_its_channel(world: World) -> None:
    (world.directory / "a.toml").write_bytes(b"\xff")
    done = await world.reloader.reload()
    assert done.kept == {"a": [f"{world.directory}/a.toml:1: not UTF-8 text"]}
    assert world.running.keys() == {"a", "b"}


async def test_an_empty_or_missing_directory_changes_nothing(world: World) -> None:
    world.write(a__toml=None, b__toml=None)
    assert (await world.reloader.reload()).kept.keys() == {"a", "b"}
    shutil.rmtree(world.directory)
    assert (await world.reloader.reload()).kept.keys() == {"a", "b"}
    assert world.running.keys() == {"a", "b"}


async def test_channels_of_another_survey_do_not_run(tmp_path: Path) -> None:
    world = World(tmp_path, survey="lsst")
    world.write(a__toml=PASS, b__toml=PASS + 'survey = "lsst"\n')
    await world.begin()
    assert world.running.keys() == {"b"}
    world.write(a__toml=PASS + "# changed\n")
    assert (await world.reloader.reload()).changes == 0


async def test_a_daemon_does_not_begin_with_a_wrong_file(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(a__toml=WRONG, b__toml=PASS)
    with pytest.raises(ChannelsRefusedError):
        await world.begin()


async def test_gates_that_advise_let_everything_run_and_name_it(world: World) -> None:
    assert world.reloader.choice.waiting.keys() == {"a", "b"}
    world.gates.pass_all(world.directory)
    await world.reloader.look_at_gates()
    assert not world.reloader.is_waiting
    assert len(world.judge.swaps) == 1


async def test_where_gates_are_required_a_new_version_waits_and_the_former_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, required=True)
    world.write(a__toml=REAL, b__toml=PASS, real__py=MODULE)
    world.gates.pass_all(tmp_path)
    await world.begin()
    before = world.running
    world.write(real__py=MODULE.replace("0.5", "0.6"), c__toml=PASS)
    done = await world.reloader.reload()
    assert (done.changes, done.waiting) == (0, ["a", "c"])
    assert world.running == before
    world.gates.pass_all(tmp_path)
    await world.reloader.look_at_gates()
    assert world.running.keys() == {"a", "b", "c"}
    assert world.running["a"] != before["a"]


async def test_where_gates_are_required_a_daemon_begins_with_the_former_version_from_the_store(tmp_path: Path) -> None:
    world = World(tmp_path, required=True)
    world.write(a__toml=REAL, b__toml=PASS, real__py=MODULE)
    (former,) = (one for one in read_files(tmp_path) if one.name == "a")
    world.gates.kept["a"] = ChannelFiles("a", former.path, former.text, former.modules, stored=True)
    world.write(real__py=MODULE.replace("0.5", "0.6"))
    await world.begin()
    assert world.running == {"a": former.version}
    assert world.reloader.choice.waiting.keys() == {"a", "b"}


async def test_a_former_version_that_cannot_be_loaded_any_more_stays_off(tmp_path: Path) -> None:
    world = World(tmp_path, required=True)
    world.write(a__toml=REAL, b__toml=PASS, real__py=MODULE)
    world.gates.open |= {(one.name, one.version) for one in read_files(tmp_path) if one.name == "b"}
    world.gates.kept["a"] = ChannelFiles("a", "a.toml", WRONG, {}, stored=True)
    await world.begin()
    assert world.running.keys() == {"b"}
    assert world.reloader.choice.refused.keys() == {"a"}


async def test_a_daemon_without_a_channel_that_may_run_does_not_begin(tmp_path: Path) -> None:
    world = World(tmp_path, required=True)
    world.write(a__toml=PASS)
    with pytest.raises(ConfigError, match="none has passed its gate"):
        await world.begin()


async def test_a_reload_never_leaves_nothing_that_runs(tmp_path: Path) -> None:
    world = World(tmp_path, required=True)
    world.write(a__toml=PASS)
    world.gates.pass_all(tmp_path)
    await world.begin()
    world.write(a__toml=None, b__toml=PASS + "# another\n")
    done = await world.reloader.reload()
    assert (done.changes, done.kept.keys(), done.waiting) == (0, {"a"}, ["b"])
    assert world.running.keys() == {"a"}


async def test_what_runs_stays_where_it_cannot_be_loaded_a_second_time(world: World) -> None:
    before = world.running
    world.write(c__toml=PASS)

    async def refuse_everything(files: Sequence[ChannelFiles]) -> None:
        raise ChannelsRefusedError({one.name: ["its process died"] for one in files})

    world.judge.swap = refuse_everything  # type: ignore[method-assign]
    done = await world.reloader.reload()
    assert (done.changes, done.kept.keys()) == (0, {"a", "b", "c"})
    assert world.running == before
