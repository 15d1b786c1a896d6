"""Channels change under a running daemon: reloaded, suspended, resumed with what they were skipped for; nothing is lost."""

import json
import os
import signal

import pytest
from support.broker import delete_before, make_topic
from support.daemons import channel_file, until
from support.promises import check_all, rows
from support.servers import need_apache, unique
from support.streams import BRIGHT, FILTERS, ODD, night, produce

from ampeld.flow.verdict import ERRORED, SKIPPED, is_accepted
from ampeld.store.blocks import decode_block

pytestmark = [pytest.mark.kafka, pytest.mark.mongodb]

SETTINGS = {"channels.error_budget": 3}
BROKEN = FILTERS.replace("return alert.candid", "raise ValueError('no')\n        return alert.candid")


def reload(site, daemon):
    """Ask the daemon to reload, as a user does; return the exit code and the answer."""
    done = site.ampeld("channel", "reload", "--json", "--set", f'status.listen="{daemon.address}"')
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def resume(site, name, *arguments):
    done = site.ampeld("channel", "resume", name, "--json", *arguments)
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def table(daemon):
    return {row["channel"]: row for row in daemon.status()["channels"]}


def state_of(daemon, name):
    """Return what becomes of a channel; None while the daemon is still connecting, when its page is up already."""
    return table(daemon).get(name, {}).get("state")


def test_a_daemon_takes_up_what_changed_keeps_what_is_wrong_and_never_mixes_versions(kafka, make_site, monkeypatch):
    topic = make_topic(kafka, unique("reload"), partitions=2)
    site = make_site(topic, **SETTINGS)
    daemon = site.start()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.directory))
    sent = produce(kafka, topic, night(1, objects=10, visits=5), partitions=2, spread=False)
    until(lambda: len(site.stored_places()) == len(sent), 40, "everything has a verdict")
    first = table(daemon)
    assert {row["state"] for row in first.values()} == {"running"}
    assert "has not passed its gate" in first[ODD]["notes"][0]

    directory = site.directory / "channels"
    (directory / "rules.py").write_text(FILTERS + "\n# the same, in another version\n")
    (directory / "third.toml").write_text(channel_file("rules.py:Odd", ["ZTF_PUB"]))
    (directory / f"{BRIGHT}.toml").write_text(channel_file("rules.py:Brigth", ["ZTF_PUB"]))
    code, answer = reload(site, daemon)
    assert code == 78
    assert (answer["added"], answer["changed"], answer["removed"]) == (["third"], [ODD], [])
    assert answer["kept"] == {
        BRIGHT: [f"{directory}/{BRIGHT}.toml:1: filter: rules.py has no class 'Brigth'; did you mean 'Bright'?"]
    }
    second = table(daemon)
    assert second[BRIGHT]["version"] == first[BRIGHT]["version"]
    assert second[ODD]["version"] != first[ODD]["version"]
    more = produce(kafka, topic, night(2, objects=10, visits=5, first=20), partitions=2, spread=False)
    until(lambda: len(site.stored_places()) == len(sent + more), 40, "everything has a verdict")

    (directory / "third.toml").unlink()
    (directory / f"{BRIGHT}.toml").write_text(channel_file("rules.py:Bright", ["ZTF_PUB", "ZTF_PRIV"]))
    code, answer = reload(site, daemon)
    assert (code, answer["removed"], answer["kept"]) == (0, ["third"], {})
    assert daemon.said("channel.refused")[0]["goes_on"] == first[BRIGHT]["version"]

    (directory / "third.toml").write_text("filter = [")
    os.kill(daemon.pid, signal.SIGHUP)
    until(lambda: len(daemon.said("channel.refused")) == 2, 20, "the signal is heard")
    (directory / "third.toml").unlink()
    last = produce(kafka, topic, night(3, objects=10, visits=2, first=40), partitions=2, spread=False)
    until(lambda: len(site.stored_places()) == len(sent + more + last), 40, "everything has a verdict")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0

    blocks = [decode_block(document) for document in site.db["verdict_blocks"].find()]
    assert {tuple(sorted(c.name for c in block.channels)) for block in blocks} == {
        (BRIGHT, ODD),
        (BRIGHT, ODD, "third"),
    }
    assert all(len({c.name for c in block.channels}) == len(block.channels) for block in blocks)
    kept = {version["_id"]: version for version in site.db["channel_versions"].find()}
    judged = {channel.version for block in blocks for channel in block.channels}
    assert {kept[version]["files"]["modules"][0]["name"] for version in judged} == {"rules.py"}
    named = {
        (entry["channel"], entry["channel_version"])
        for collection, key in (("t0", "meta"), ("t1", "meta"), ("stock", "journal"))
        for document in site.db[collection].find()
        for entry in document[key]
    }
    assert named == {(channel.name, channel.version) for block in blocks for channel in block.channels}
    assert json.loads(site.ampeld("ledger", "--json").stdout)["balanced"]


def test_a_suspended_channel_misses_nothing_once_it_is_mended_and_resumed(kafka, make_site, monkeypatch):
    topic = make_topic(kafka, unique("resume"), partitions=2)
    site = make_site(topic, **SETTINGS)
    rules = site.directory / "channels" / "rules.py"
    rules.write_text(BROKEN)
    daemon = site.start()
    other = site.start("other", "--set", 'status.listen=""')
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.directory))
    sent = produce(kafka, topic, night(4, objects=10, visits=5), partitions=2, spread=True)
    until(lambda: len(site.stored_places()) == len(sent), 60, "everything has a verdict")
    until(lambda: state_of(daemon, ODD) == "suspended", 20, "every daemon knows that it is suspended")
    (suspension,) = site.db["suspensions"].find()
    assert (suspension["_id"], suspension["contact"]) == (ODD, "nobody@example.org")
    assert "ValueError: no" in suspension["reason"]

    rules.write_text(FILTERS)
    code, answer = reload(site, daemon)
    assert code == 0
    assert [row["state"] for row in answer["channels"] if row["channel"] == ODD] == ["suspended"]
    daemon.kill()
    daemon.start()  # it survives a restart
    sent += produce(kafka, topic, night(5, objects=10, visits=5, first=20), partitions=2, spread=True)
    until(lambda: len(site.stored_places()) == len(sent), 60, "everything has a verdict")
    until(lambda: daemon.status()["lag"] == 0, 20, "everything is committed")

    code, answer = resume(site, ODD, "--replay")
    assert code == 0, answer
    assert answer["resumed"]
    replay = answer["replay"]
    assert replay["accepted"] + replay["rejected"] + replay["hidden"] == replay["owed"]
    assert replay["accepted"] > 10
    assert replay["lost"] == []
    until(lambda: state_of(daemon, ODD) == "running", 20, "the daemon has heard")
    code, answer = resume(site, ODD, "--replay")
    assert (code, answer["resumed"], answer["replay"]) == (0, False, None)  # there is nothing left to do

    for one in (daemon, other):
        one.signal(signal.SIGTERM)
        assert one.wait(20) == 0
    check_all(site, sent)


def test_what_retention_took_from_a_suspended_channel_is_named(kafka, make_site):
    need_apache()  # Tansu deletes no records
    topic = make_topic(kafka, unique("lost"), partitions=1)
    site = make_site(topic, **SETTINGS)
    rules = site.directory / "channels" / "rules.py"
    rules.write_text(BROKEN)
    sent = produce(kafka, topic, night(6, objects=5, visits=5), partitions=1, spread=False)
    site.drain()
    delete_before(kafka, topic, 0, 10)
    rules.write_text(BROKEN.replace("raise ValueError('no')", "{}[alert.candid]"))
    failing = site.ampeld("channel", "resume", ODD, "--replay", "--json")
    assert failing.returncode == 1
    assert "fails as it did before" in failing.stderr
    assert site.db["suspensions"].find_one()["suspended"]

    rules.write_text(FILTERS)
    code, answer = resume(site, ODD, "--replay")
    assert code == 1
    (lost,) = answer["replay"]["lost"]
    assert (lost["first"], lost["reason"]) == (f"{topic}/0/0", f"retention took it: {topic}/0 begins at 10")
    codes = {place: row[-1][0].codes for place, row in rows(site.db).items()}
    alerts = [one for one in sent if not one.message.poison]
    assert lost["number"] == sum(one.offset < 10 for one in alerts)
    assert all(codes[one.place][1] in (SKIPPED, ERRORED) for one in alerts if one.offset < 10)
    taken = {one.place for one in alerts if is_accepted(codes[one.place][1])}
    assert taken == {one.place for one in alerts if ODD in one.message.takers and one.offset >= 10}
    assert site.ledger()["balanced"]


def test_where_gates_are_required_a_version_runs_once_it_has_passed(kafka, make_site, tmp_path, monkeypatch):
    topic = make_topic(kafka, unique("gates"), partitions=1)
    site = make_site(topic, **SETTINGS, **{"channels.gate": "required"})
    for number, message in enumerate(night(7, objects=2, visits=5)):
        (tmp_path / f"{number}.avro").write_bytes(message.payload)

    def gate(name):
        return site.ampeld("channel", "gate", name, "--night", str(tmp_path), "--json")

    nobody = site.start("main", "--until-end")
    assert nobody.wait(40) == 78
    assert "none has passed its gate" in nobody.said("daemon.config")[0]["problem"]
    assert [gate(BRIGHT).returncode, gate(ODD).returncode] == [0, 0]

    daemon = site.start()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.directory))
    until(lambda: daemon.said("source.assigned"), 30, "channels run")
    first = {name: row["version"] for name, row in table(daemon).items()}
    assert first.keys() == {BRIGHT, ODD}
    (site.directory / "channels" / "rules.py").write_text(FILTERS + "\n# another version\n")
    code, answer = reload(site, daemon)
    assert (code, answer["changed"], answer["waiting"]) == (0, [], [BRIGHT, ODD])
    assert {name: row["version"] for name, row in table(daemon).items()} == first

    told = json.loads(gate(ODD).stdout)
    assert (told["former"], told["difference"]) == (first[ODD], {"gained": [], "lost": []})
    code, answer = reload(site, daemon)
    assert (code, answer["changed"], answer["waiting"]) == (0, [ODD], [BRIGHT])
    daemon.kill()
    daemon.start()
    until(lambda: daemon.said("source.assigned"), 30, "channels run")
    versions = {name: row["version"] for name, row in table(daemon).items()}
    assert versions == {BRIGHT: first[BRIGHT], ODD: told["result"]["version"]}  # bright's is from the store
