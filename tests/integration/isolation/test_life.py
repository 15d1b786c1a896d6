"""How filter processes begin and end: loading, swapping, leaking, and the death of those they come from."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from support.isolation import GOOD, ON_104, batch, channel_files, filter_processes, set_of
from support.packets import alert

from ampeld.alert.decode import KERNEL, Decoder
from ampeld.alert.survey import ZTF
from ampeld.daemon.channels import ChannelsRefusedError
from ampeld.daemon.isolation import nursery
from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.demo.simulate import SimulatedNights
from ampeld.flow.record import Batch, Record
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, GROUP
from ampeld.stages.decode import decode_batch

RULES = Rules(deadline_s=2.0, memory_mb=64, error_budget=20)
LEAKS = GOOD.replace("yield", "kept.append(bytearray(6 << 20))\n        yield", 1) + "\nkept = []\n"


@pytest.fixture
async def judge():
    made = ProcessJudge(RULES, Path("no-catalogs"))
    yield made
    await made.close()
    assert not filter_processes()


def codes(judged, name):
    return judged.codes[[channel.name for channel in judged.channels].index(name)].tolist()


async def test_other_channels_judge_from_the_next_batch_on(judge):
    await judge.swap(set_of({"a": GOOD, "b": GOOD}))
    first = await judge.judge(batch())
    (old,) = [channel for channel in judge.channels if channel.name == "a"]
    await judge.swap(set_of({"a": GOOD.replace("19.0", "99.0"), "c": GOOD}))
    second = await judge.judge(batch())
    assert [channel.name for channel in first.channels] == ["a", "b"]
    assert [channel.name for channel in second.channels] == ["a", "c"]
    assert old.version not in {channel.version for channel in second.channels}
    assert codes(first, "a") == codes(second, "c") != codes(second, "a")


async def test_batches_that_are_judged_meanwhile_have_one_set_of_channels_each(judge):
    await judge.swap(set_of({"a": GOOD}))
    swapping = asyncio.ensure_future(judge.swap(set_of({"b": GOOD, "c": GOOD})))  # noqa: TID251  it is awaited below
    seen = []
    while not swapping.done():
        judged = await judge.judge(batch())
        seen.append(tuple(channel.name for channel in judged.channels))
        assert judged.codes.shape == (len(judged.channels), 16)
    await swapping
    assert set(seen) <= {("a",), ("b", "c")}


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("import os; os._exit(4)", "cannot be loaded: the filter process ended with exit code 4"),
        ("import ctypes; ctypes.string_at(0)", "cannot be loaded: killed by SIGSEGV"),
        ("while True: pass", "is not loaded after 0.5 s"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
async def test_a_channel_that_cannot_be_loaded_is_named_and_the_former_ones_go_on(judge, monkeypatch, head, why):
    await judge.swap(set_of({"a": GOOD}))
    monkeypatch.setattr(nursery, "LOAD_S", 0.5)
    bad = channel_files("bad", GOOD, head=f"from ampeld.channel import Filter\n{head}\nclass It(Filter):\n")
    with pytest.raises(ChannelsRefusedError, match="bad") as refused:
        await judge.swap([*set_of({"a": GOOD}), bad])
    assert list(refused.value.by_channel) == ["bad"]
    assert why in refused.value.by_channel["bad"][0]
    assert [channel.name for channel in (await judge.judge(batch())).channels] == ["a"]


async def test_cut_names_are_known_before_the_first_alert_and_stay_the_same_in_every_worker(judge):
    later = GOOD + '        if len(a):\n            yield "late", a.magpsf > 0.0\n'
    await judge.swap(set_of({"a": GOOD, "b": later, "bad": ON_104.format("os._exit(1)")}))
    assert judge.channels[0].cut_names.names == ["bright", "odd"]
    first = await judge.judge(batch())
    second = await judge.judge(batch(3))
    assert judge.channels[1].cut_names.names == ["bright", "odd", "late"]
    assert codes(first, "b")[:3] == codes(second, "b") == [CUT + 1, ACCEPTED, CUT]


async def test_who_keeps_memory_is_suspended_before_others_run_short(judge):
    await judge.swap(set_of({"a": GOOD, "leaks": LEAKS, "z": GOOD}))
    failures = []
    for _ in range(60):
        judged = await judge.judge(batch())
        failures += [failure for of_channel in judged.failures for failure in of_channel if failure is not None]
        if judge.suspended:
            break
    assert judge.suspended == {"leaks"}
    assert not failures
    assert judge.costs.by_channel["leaks"].deaths == 3
    assert judge.costs.memory_kb < 64 * 1024


async def test_the_death_of_the_nursery_costs_no_verdict(judge):
    await judge.swap(set_of({"a": GOOD}))
    first = await judge.judge(batch())
    for pid in filter_processes():
        os.kill(pid, signal.SIGKILL)
    assert codes(await judge.judge(batch()), "a") == codes(first, "a")


async def test_who_kills_what_its_process_comes_from_pays_alone(judge):
    kills = ON_104.format("ctypes.CDLL(None).kill(os.getppid(), 9) or time.sleep(60)")
    await judge.swap(set_of({"a": GOOD, "bad": kills, "z": GOOD}))
    judged = await judge.judge(batch())
    assert codes(judged, "a") == codes(judged, "z") == [CUT + 1, ACCEPTED, CUT, CUT] * 4
    assert [row for row, code in enumerate(codes(judged, "bad")) if code == ERRORED] == [4]


async def test_a_signal_to_the_whole_group_ends_the_daemon_alone(judge):
    await judge.swap(set_of({"a": GOOD}))
    for pid in filter_processes():
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    await judge.judge(batch())
    assert judge.costs.lost == 0


async def test_filters_do_not_see_the_environment(judge, monkeypatch):
    monkeypatch.setenv("MONGODB_URI", "mongodb://user:secret@host")
    monkeypatch.setenv("AMPELD_STORE__URI", "mongodb://user:secret@host")
    look = GOOD.replace("yield", "assert 'secret' not in str(os.environ)\n        yield", 1)
    await judge.swap(set_of({"a": look}))
    judged = await judge.judge(batch())
    assert judged.failures == [[]]
    assert all(b"secret" not in Path(f"/proc/{pid}/environ").read_bytes() for pid in filter_processes())


async def test_images_are_fetched_while_it_judges(judge):
    look = """
    def accept(self, alert):
        try:
            alert.cutout("cutoutScienc")
        except KeyError as error:
            assert "did you mean 'cutoutScience'" in str(error)
        return 1 + __import__("zlib").crc32(alert.cutout("cutoutScience")) % 9999
    """
    await judge.swap(set_of({"a": look}))
    decoded = decoded_from([each.packet for each in SimulatedNights(0, 6)])
    judged = await judge.judge(decoded)
    images = [decoded.table.cutout(row, "cutoutScience") for row in range(6)]
    assert codes(judged, "a") == [GROUP + 1 + zlib.crc32(image) % 9999 for image in images]


@pytest.mark.skipif(not KERNEL, reason="the kernel was not built: columns are copies, not shared memory")
async def test_writing_into_the_shared_columns_is_a_crash_and_changes_nothing(judge):
    write = "\n    def cuts(self, a):\n        ctypes.memset(a.magpsf.values.ctypes.data, 0, 8)\n        yield 'x', a.rb > 0\n"
    faint = "\n    def cuts(self, a):\n        yield 'bright', a.magpsf > 10\n"
    await judge.swap(set_of({"a": faint, "m": write, "z": faint}))
    judged = await judge.judge(decoded_from([alert(candid=1001), alert(candid=1002)]))
    assert codes(judged, "a") == codes(judged, "z") == [ACCEPTED, ACCEPTED]
    failure, nothing = judged.failures[1]
    assert failure.error.startswith("killed by SIGSEGV; judged again by itself")  # there it had a copy to write into
    assert nothing is None


def decoded_from(values):
    records = [Record(topic="t", partition=0, offset=i, value=v, after=i, through=i) for i, v in enumerate(values)]
    decoded = decode_batch(Decoder(2 * 2**20, ZTF), Batch(records, [], 0.0))
    assert not decoded.dead_letters
    return decoded


ORPHANED = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support.isolation import GOOD, ON_104, batch, set_of
from ampeld.daemon.isolation.judge import ProcessJudge, Rules

async def main():
    judge = ProcessJudge(Rules(60.0, 64, 20), Path("no-catalogs"))
    await judge.swap(set_of({"a": ON_104.format("while True: pass")}))
    asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGKILL)
    await judge.judge(batch())

asyncio.run(main())
"""


def test_no_filter_outlives_the_daemon_however_it_dies():
    tests = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", ORPHANED, tests], stderr=subprocess.DEVNULL) as daemon:
        assert daemon.wait(60) == -signal.SIGKILL
    end = time.monotonic() + 5
    while filter_processes(daemon.pid):
        assert time.monotonic() < end
        time.sleep(0.01)
