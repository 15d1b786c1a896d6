"""Filters that do their worst in a real filter process: their channel pays, alert by alert, and nobody else does."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from support.isolation import GOOD, IN_CUTS, ON_104, batch, filter_processes, set_of
from support.ticking import stalls

from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, SKIPPED

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOODS = ("a_good", "z_good")
ROW = 4
SLEEP = "ctypes.PyDLL(None).sleep(60)"
FORK = "ctypes.CDLL(None).fork()"

DEEDS = {  # by name: what it does, and how its error begins
    "raises": ("raise ValueError('no')", "ValueError: no"),
    "answers_nonsense": ("return 'yes'", "accept() returned str"),
    "exits": ("sys.exit(1)", "SystemExit: 1"),
    "forks": ("os.fork()", "PermissionError: a filter must not start a process (os.fork)"),
    "runs": ("__import__('subprocess').run(['true'])", "PermissionError: a filter must not start a process"),
    "kills_its_parent": ("os.kill(os.getppid(), 9)", "PermissionError: a filter must not send a signal (os.kill)"),
    "threads": ("threading.Thread(target=print).start()", "PermissionError: a filter must not start a thread"),
    "lifts_its_limits": (
        "__import__('resource').setrlimit(9, (-1, -1))",
        "PermissionError: a filter must not change a limit",
    ),
    "eats": ("bytearray(100 << 20)", "MemoryError"),
    "writes_its_input": ("alert.detections.magpsf[:] = 0", "ValueError: assignment destination is read-only"),
    "loops": ("while True: pass", "took longer than channels.deadline_s = 0.7"),
    "sleeps": ("time.sleep(60)", "took longer than channels.deadline_s = 0.7"),
    "sleeps_in_machine_code": (SLEEP, "took longer than channels.deadline_s = 0.7"),
    "matches": ("__import__('re').match('(a+)+$', 'a' * 40 + 'b')", "took longer than channels.deadline_s = 0.7"),
    "ends_the_process": ("os._exit(3)", "the filter process ended with exit code 3"),
    "interrupts": ("raise KeyboardInterrupt", "the filter process ended with exit code 70"),
    "crashes": ("ctypes.string_at(0)", "killed by SIGSEGV"),
    "aborts": ("os.abort()", "killed by SIGABRT"),
    "kills_itself": ("signal.raise_signal(signal.SIGKILL)", "killed by SIGKILL"),
    "closes": ("os.closerange(3, 100)", "the filter closed the connection between its process and the daemon"),
    "forks_in_machine_code": (FORK, "the filter started a process"),
    "forks_a_loop": (f"{FORK} or next(i for i in iter(int, 1) if i)", "the filter started a process"),
    "forks_an_orphan": (
        f"{FORK} or (os.setsid(), {FORK} and os._exit(0), time.sleep(60))",
        "the filter started a process",
    ),
    "talks_into_the_socket": (
        "[os.write(fd, b'x' * 99) for fd in range(3, 20) if is_socket(fd)]",
        "the filter process",
    ),
}
IN_CUTS_TOO = ("raises", "loops", "crashes", "ends_the_process", "forks_an_orphan")
IS_SOCKET = """
def is_socket(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("socket")
    except OSError:
        return False
"""


PRINTS = ON_104.format("[print('x' * 99_999) for _ in range(3)]").replace("if alert.candid == 104", "if True")
FLOODS = (
    ON_104.format("[drop(i) for i in range(200)]")
    + """
def drop(_):
    try:
        os.write(1, b"x" * 100_000)
    except BlockingIOError:
        pass
"""
)
ALARMS = ON_104.format("signal.setitimer(signal.ITIMER_REAL, 0.05)")
ALWAYS = GOOD.replace("yield", "os._exit(3)\n        yield", 1)
HUNGRY = (
    GOOD
    + """
        global kept
        kept = bytearray(60 << 20)
"""
)
MODEST = GOOD.replace("yield", "bytearray(20 << 20)\n        yield", 1)
WRITES = GOOD.replace("yield", "a.gal_lat.values[:] = 0\n        yield", 1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def judge():
    """A judge with one channel for each deed, all asleep, between two good ones."""
    bodies = {f"m_{name}": ON_104.format(deed) for name, (deed, _) in DEEDS.items()}
    bodies |= {f"n_{name}": IN_CUTS.format(DEEDS[name][0]) for name in IN_CUTS_TOO}
    bodies |= {"print_a_lot": PRINTS, "print_a_little": PRINTS.replace("99_999", "9"), "flood": FLOODS, "alarm": ALARMS}
    bodies |= {"always": ALWAYS, "hungry": HUNGRY, "modest": MODEST, "writes": WRITES}
    files = set_of(bodies | dict.fromkeys(GOODS, GOOD), more=IS_SOCKET)
    judge = ProcessJudge(Rules(deadline_s=0.7, memory_mb=64, error_budget=20), Path("no-catalogs"))
    await judge.swap(files)
    yield judge
    await judge.close()
    assert not filter_processes()


async def judged_by(judge, *names, decoded=None):
    """Return codes and failures by channel, of the good ones and those named; the others are asleep."""
    for channel in judge.channels:
        judge.resume(channel.name)
        if channel.name not in (*GOODS, *names):
            judge.suspend(channel.name)
    async with stalls() as stall:
        judged = await judge.judge(decoded or batch())
    assert stall.longest_s < 0.1
    places = {channel.name: place for place, channel in enumerate(judged.channels)}
    return {name: (judged.codes[places[name]].tolist(), judged.failures[places[name]]) for name in (*GOODS, *names)}


def expected(*, erred=()):
    """Return the verdicts of a filter like the good ones, but where it errs."""
    codes = []
    for row in range(16):
        bright, odd = row // 2 % 2 == 0, row % 2 == 1
        codes.append(ACCEPTED if bright and odd else CUT + (1 if bright else 0))
    return [ERRORED if row in erred else code for row, code in enumerate(codes)]


@pytest.mark.parametrize("name", DEEDS)
async def test_what_a_filter_does_to_one_alert_costs_it_that_alert_alone(judge, name):
    found = await judged_by(judge, f"m_{name}")
    codes, failures = found[f"m_{name}"]
    assert codes == expected(erred=[ROW])
    (failure,) = [failure for failure in failures if failure is not None]
    assert failure.error.startswith(DEEDS[name][1])
    assert (failure.candid, failure.channel, failure.contact) == (104, f"m_{name}", f"m_{name}@example.org")
    assert [found[good][0] for good in GOODS] == [expected(), expected()]
    assert f"m_{name}" not in judge.suspended


@pytest.mark.parametrize("name", IN_CUTS_TOO)
async def test_what_its_cuts_do_to_one_alert_costs_it_that_alert_alone(judge, name):
    found = await judged_by(judge, f"n_{name}")
    codes, failures = found[f"n_{name}"]
    assert codes == expected(erred=[ROW])
    assert [failure.candid for failure in failures if failure is not None] == [104]
    assert [found[good][0] for good in GOODS] == [expected(), expected()]


@pytest.mark.parametrize("name", ["loops", "sleeps_in_machine_code", "crashes", "raises"])
async def test_its_author_learns_the_line(judge, name):
    _, failures = (await judged_by(judge, f"m_{name}"))[f"m_{name}"]
    traceback = failures[ROW].traceback
    assert f'"/channels/m_{name}.py", line' in traceback
    assert "in accept" in traceback


async def test_two_that_misbehave_in_one_batch_pay_each_for_itself(judge):
    found = await judged_by(judge, "m_crashes", "n_ends_the_process")
    assert all(codes == expected(erred=[ROW] if "_good" not in name else []) for name, (codes, _) in found.items())


async def test_what_kills_its_process_on_every_alert_is_suspended_and_then_skipped(judge):
    told = []
    judge.sanctions.on_suspend = lambda channel, reason: told.append((channel.name, reason))
    found = await judged_by(judge, "always")
    assert found["always"][0] == [ERRORED] * 3 + [SKIPPED] * 13
    assert [found[good][0] for good in GOODS] == [expected(), expected()]
    ((name, reason),) = told
    assert name == "always"
    assert "the filter process ended with exit code 3" in reason
    again = await judge.judge(batch())
    place = [channel.name for channel in judge.channels].index("always")
    assert again.codes[place].tolist() == [SKIPPED] * 16
    assert not again.failures[place]


async def test_what_it_prints_is_its_own_and_too_much_is_an_error(judge):
    found = await judged_by(judge, "print_a_lot", "print_a_little")
    assert all(codes[:2] == expected()[:2] for codes, _ in found.values())
    (failure,) = [failure for failure in found["print_a_lot"][1] if failure is not None]
    assert failure.error == "printed 2400000 characters on 16 alerts"
    assert found["print_a_little"][1] == []


async def test_a_flood_past_python_is_dropped_and_holds_nobody_up(judge):
    found = await judged_by(judge, "flood")
    assert all(codes == expected() for codes, _ in found.values())


async def test_an_alarm_that_is_set_does_not_go_off_in_another_channel(judge):
    lost = judge.costs.lost
    found = await judged_by(judge, "alarm")
    await asyncio.sleep(0.1)  # it would have gone off by now
    await judge.judge(batch())
    assert all(codes == expected() for codes, _ in found.values())
    assert judge.costs.lost == lost


async def test_what_one_channel_eats_is_not_charged_to_another(judge):
    found = await judged_by(judge, "hungry", "modest")  # hungry leaves no room for modest
    assert all(codes == expected() for codes, _ in found.values())
    assert found["modest"][1] == []
    assert judge.costs.by_channel["modest"].errors == 0


async def test_columns_that_are_shared_cannot_be_changed(judge):
    found = await judged_by(judge, "writes")
    codes, failures = found["writes"]
    assert codes == [ERRORED] * 16
    assert all("read-only" in failure.error for failure in failures)


async def test_what_a_channel_may_not_see_it_is_not_asked_about(judge):
    found = await judged_by(judge, "m_crashes", decoded=batch(private=(ROW, 7)))
    skipped = [SKIPPED if row in (ROW, 7) else code for row, code in enumerate(expected())]
    assert all(codes == skipped for codes, _ in found.values())
