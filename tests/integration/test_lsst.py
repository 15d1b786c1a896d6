"""LSST's alerts through Kafka and MongoDB: a registry that is away is waited for, and nothing is lost meanwhile."""

import asyncio
import json
import socket

import orjson
import pytest
from support.broker import make_topic
from support.daemons import until
from support.lsst_packets import MJD, OBJECT_ID, SOURCE_ID, alert, frame, lsst_schema, solar
from support.registry import known, running_registry
from support.servers import send, unique
from support.ztf_packets import encode as ztf_container
from support.ztf_packets import packet as ztf_packet

pytestmark = [pytest.mark.kafka, pytest.mark.mongodb]

CHANNELS = {
    "bright": """
survey = "lsst"
filter = "lsst.py:Bright"
contact = "nobody@example.org"
""",
    "young": """
filter = "rules.py:Bright"
contact = "nobody@example.org"
""",
}
FILTER = """
from ampeld.channel import Filter


class Bright(Filter):
    def cuts(self, a):
        yield "bright", a.mag < 24.0
        yield "real", a.reliability >= 0.5

    def accept(self, alert):
        return alert.diaObject.nDiaSources > 0
"""


def newer_schema():
    """Return a schema 12.0: that of 11.1 with one field more."""
    schema = lsst_schema()
    schema["fields"].append({"name": "weather", "type": ["null", "string"], "default": None})
    return schema


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_frames_are_stored_however_long_the_registry_is_away(kafka, make_site, tmp_path):
    topic = make_topic(kafka, unique("lsst"), partitions=1)
    port = free_port()
    site = make_site(
        topic,
        channels=CHANNELS,
        **{
            "source.survey": "lsst",
            "source.schema_registry": f"http://127.0.0.1:{port}",
            "source.schema_directory": str(tmp_path / "schemas"),
            "source.max_batch": 100,
        },
    )
    (site.directory / "channels" / "lsst.py").write_text(FILTER)
    values = [
        *(frame(alert(SOURCE_ID + i, OBJECT_ID + i % 3, MJD + i)) for i in range(6)),
        frame(alert(SOURCE_ID + 6, OBJECT_ID, MJD + 6) | {"weather": "clear"}, 1200, newer_schema()),
        frame(alert(SOURCE_ID + 7, OBJECT_ID, MJD + 7, psfFlux=10.0)),
        frame(solar()),
        frame(alert(SOURCE_ID + 8), 1300, lsst_schema()),
        ztf_container(ztf_packet()),
    ]
    asyncio.run(send(kafka, topic, [(None, value, 0) for value in values]))
    daemon = site.start()
    until(lambda: daemon.said("schema.unavailable"), 40, "the registry is missed")
    until(lambda: "schemas" in daemon.status()["parts"], 40, "the daemon says that it waits for schemas")
    waiting = daemon.status()
    assert waiting["state"] == waiting["parts"]["schemas"]["state"] == "degraded"
    assert f"127.0.0.1:{port}" in waiting["parts"]["schemas"]["reason"]
    assert site.db["dead_letters"].count_documents({}) == 0

    with running_registry({1200: known(orjson.dumps(newer_schema()))}, port) as registry:
        until(lambda: len(site.stored_places()) == len(values), 40, "everything has a verdict")
        until(lambda: daemon.status()["state"] == "live", 10, "the daemon is well again")
        assert registry.asked.count("/schemas/ids/1200") == 1
        assert registry.asked.count("/schemas/ids/1300") == 3
    (new,) = daemon.said("schema.new")
    assert new["names"] == ["weather"]
    assert "weather" in json.dumps(daemon.status()["schemas"])
    assert json.loads((tmp_path / "schemas" / "1200.avsc").read_bytes())["name"] == "lsst.v11_1.alert"

    letters = {letter["offset"]: letter["reason"] for letter in site.db["dead_letters"].find()}
    assert letters.keys() == {9, 10}
    assert "schema 1300 is not known to the registry" in letters[9]
    assert letters[10].endswith("another survey's packet?")
    assert {stock["_id"] for stock in site.db["stock"].find()} == {OBJECT_ID, OBJECT_ID + 1, OBJECT_ID + 2}
    assert {tuple(point["tag"]) for point in site.db["t0"].find()} == {
        ("LSST", "LSST_DP", "LSST_R"),
        ("LSST", "LSST_FP", "LSST_I"),
        ("LSST", "LSST_OBJ"),
    }
    report = site.ledger()
    assert report["balanced"]
    assert list(report["channels"]) == ["bright"]
    assert report["channels"]["bright"]["cuts"] == {"bright": 1, "real": 0, "accept": 0, "has_object": 1}
    assert (report["received"], report["dead_lettered"]) == (len(values), 2)
