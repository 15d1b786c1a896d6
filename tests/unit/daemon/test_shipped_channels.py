import io
from collections import defaultdict
from pathlib import Path

import fastavro
import pytest

from ampeld.alert.table import AlertTable
from ampeld.channel.judge import judge
from ampeld.daemon.channels import load_channels
from ampeld.demo.simulate import simulate_night
from ampeld.flow.verdict import ACCEPTED, is_accepted

PROJECT = Path(__file__).resolve().parents[3]
TRANSIENTS = {"sn_ia", "sn_ii", "fast"}


@pytest.fixture(scope="module")
def night():
    return list(simulate_night(seed=1, alerts=500))


@pytest.fixture(scope="module")
def table(night):
    packets = [next(fastavro.reader(io.BytesIO(alert.packet))) for alert in night]
    return AlertTable(packets, ["schema"] * len(packets))


@pytest.mark.parametrize("name", ["decent", "rapid"])
def test_a_shipped_channel_finds_transients_and_takes_nothing_but_new_nuclei_for_one(name, night, table):
    channel = next(c for c in load_channels(PROJECT / "channels") if c.name == name)
    judgement = judge(channel.filter, table, channel.cut_names)
    assert judgement.failures == []
    found, injected = defaultdict(set), defaultdict(set)
    for alert, code in zip(night, judgement.codes.tolist(), strict=True):
        injected[alert.kind].add(alert.object)
        if is_accepted(code):
            found[alert.kind].add(alert.object)
    assert set(found) <= TRANSIENTS | {"agn"}
    assert len(found["agn"]) <= 0.2 * len(injected["agn"])
    share = {"decent": 0.7, "rapid": 0.1}[name]  # rapid wants the young ones only
    assert sum(len(found[kind]) for kind in TRANSIENTS) >= share * sum(len(injected[kind]) for kind in TRANSIENTS)


def test_the_channel_of_the_tests_takes_everything(table):
    (channel,) = load_channels(PROJECT / "tests" / "channels")
    assert channel.name == "all"
    assert set(judge(channel.filter, table, channel.cut_names).codes.tolist()) == {ACCEPTED}
