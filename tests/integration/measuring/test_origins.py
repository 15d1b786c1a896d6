"""A value names what it was measured with, whatever has become of the files since the channels were loaded."""

import asyncio

import pytest
from structlog.testing import capture_logs
from support.isolation import GOOD, HEAD
from support.measuring import UNITS, case_of
from support.ticket_site import open_site, process_judge
from support.tickets import documents, insert_states, ticket

from ampeld.daemon.files import ChannelFiles
from ampeld.daemon.measuring import conclude, slot, tickets
from ampeld.daemon.measuring.measurer import FlowMeasurer
from ampeld.daemon.measuring.tally import Tally
from ampeld.feature.work import Job
from ampeld.flow.codes import NEW, OK

MODEL = """
class Model(StateUnit):
    def open(self, resources):
        self.text = resources.read("model.txt").decode()
    def measure(self, light_curve):
        return {"model": self.text}

class Above(StateUnit):
    def dependencies(self):
        return (Dependency("units.py:Model"),)
    def measure(self, light_curve, model):
        return {"model": model["model"]}
"""
IN_TIME = 30.0


@pytest.fixture
def files(tmp_path):
    """Return a channel that wants a model's values, and units that do without."""
    (tmp_path / "model.txt").write_text("old")
    text = 'filter = "a.py:It"\ncontact = "a@example.org"\naccess = ["ZTF_PUB"]\n'
    wanted = {"Above": "{}", "Count": "{}", "Bad": '{what = "exit", at = 5}'}
    text += "".join(f'[[feature]]\nunit = "units.py:{unit}"\nparams = {params}\n' for unit, params in wanted.items())
    modules = {"a.py": HEAD + GOOD, "units.py": UNITS + MODEL}
    return ChannelFiles("a", str(tmp_path / "a.toml"), text, modules)


class Parts:
    """A judge and the measurer that follows it."""

    def __init__(self):
        self.judge = process_judge()
        self.measurer = self.judge.follower = FlowMeasurer(Tally())


@pytest.fixture
async def beside():
    parts = Parts()
    yield parts
    await parts.judge.close()


@pytest.fixture
async def site(store):
    async with open_site(store, process_judge()) as made:
        yield made


def recipe(measurer, name):
    (found,) = [one for one in measurer.crew.recipes.values() if one.unit == f"units.py:{name}"]
    return found


def jobs(measurer, *names):
    return [Job(*recipe(measurer, name).key, "t1", 11) for name in names]


async def values(measurer, points, *names):
    (found,) = await measurer.measure([case_of(points, jobs(measurer, *names))], budget_s=IN_TIME)
    return [None if one is None else one.body for one in found]


async def test_a_process_that_opened_another_model_than_the_results_name_leaves_it_out(beside, files, tmp_path):
    judge, measurer = beside.judge, beside.measurer
    await judge.swap([files])
    (tmp_path / "model.txt").write_text("new")
    assert await values(measurer, 3, "Model") == [{"model": "old"}]
    before = dict(measurer.traces)
    with capture_logs() as lines:
        assert await values(measurer, 5, "Bad", "Model", "Count") == [None, None, {"n": 5}]
        assert await values(measurer, 3, "Model", "Count") == [None, {"n": 3}]
    (said,) = [line for line in lines if line["event"] == "feature.withheld"]
    assert (said["unit"], said["changed"], said["log_level"]) == ("units.py:Model", ["model.txt"], "error")
    assert "ampeld channel reload" in said["meaning"]
    await judge.swap([files])
    assert await values(measurer, 3, "Model") == [{"model": "new"}]
    key = recipe(measurer, "Model").key
    assert measurer.traces[key] != before[key]
    assert measurer.traces[recipe(measurer, "Count").key] == before[recipe(measurer, "Count").key]


async def test_a_model_that_is_gone_is_no_failure_of_what_would_have_been_measured_with_it(beside, files, tmp_path):
    await beside.judge.swap([files])
    (tmp_path / "model.txt").unlink()
    with capture_logs() as lines:
        assert await values(beside.measurer, 5, "Bad", "Model", "Count") == [None, None, {"n": 5}]
    (said,) = [line for line in lines if line["event"] == "feature.withheld"]
    assert "there is no file" in said["error"]


async def test_what_former_channels_opened_is_not_told_as_what_the_present_ones_have(beside, files, tmp_path):
    await beside.judge.swap([files])
    former = jobs(beside.measurer, "Model", "Count")
    (tmp_path / "model.txt").write_text("new")
    text = files.text.replace("exit", "crash")  # so that only the former ones know this Bad
    bad = jobs(beside.measurer, "Bad")
    await beside.judge.swap([ChannelFiles("a", files.path, text, files.modules)])
    (found,) = await beside.measurer.measure([case_of(3, [*former, *bad])], budget_s=IN_TIME)
    assert [None if one is None else one.body for one in found] == [None, {"n": 3}, {"n": 3}]


@pytest.mark.mongodb
async def test_a_model_that_is_put_back_is_measured_with_without_a_reload(site, files, tmp_path, monkeypatch):
    monkeypatch.setattr(slot, "AGAIN_S", 0.5)
    await site.judge.swap([files])
    (tmp_path / "model.txt").write_text("new")
    await insert_states(site.store, [3])
    model = recipe(site.measurer, "Model")
    await site.store.write_features([ticket(model, 0)])
    async with site.running():
        while not site.runner.status()["withheld"]:
            await asyncio.sleep(0.02)
        (tmp_path / "model.txt").write_text("old")
        while (await documents(site.store))["Model", 0]["code"] != OK:
            await asyncio.sleep(0.02)
    (one,) = (await documents(site.store)).values()
    assert (one["body"], one["meta"][-1]["trace"]) == ([{"model": "old"}], site.measurer.traces[model.key])


@pytest.mark.mongodb
async def test_tickets_wait_for_the_reload_that_takes_a_changed_model_up(site, files, tmp_path, monkeypatch):
    monkeypatch.setattr(tickets, "SOON_S", 1.5)
    monkeypatch.setattr(conclude, "WAIT_S", 0.8)
    await site.judge.swap([files])
    first = dict(site.measurer.traces)
    (tmp_path / "model.txt").write_text("new")
    await insert_states(site.store, [3])
    model, above, count = (recipe(site.measurer, name) for name in ("Model", "Above", "Count"))
    await site.store.write_features([ticket(one, 0) for one in (model, above, count)])
    async with site.running():
        await site.runner.drain(asyncio.Event())
        assert site.runner.status()["withheld"] == ["units.py:Model"]
    found = await documents(site.store)
    assert (found["Model", 0]["code"], found["Model", 0]["body"]) == (NEW, [])
    assert (found["Above", 0]["body"], found["Count", 0]["code"]) == ([], OK)
    await site.judge.swap([files])
    await site.store.connection["t2"].update_many({}, {"$unset": {"retry_after": 1}})
    found = await site.drain()
    for name in ("Model", "Above"):
        assert (found[name, 0]["code"], found[name, 0]["body"]) == (OK, [{"model": "new"}])
    assert found["Model", 0]["meta"][-1]["trace"] == site.measurer.traces[model.key] != first[model.key]
