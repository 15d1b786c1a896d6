"""A unit is suspected for a while after it has cost a worker, and forgiven then."""

import asyncio

from ampeld.daemon.measuring.suspects import SUSPECT_S, Suspects

KEY = ("Unit", 1)


def test_a_unit_is_suspected_for_ten_minutes_after_its_last_offence():
    now = [0.0]
    suspects = Suspects(lambda: now[0])
    assert KEY not in suspects
    suspects.blame(KEY)
    now[0] = SUSPECT_S - 1
    assert KEY in suspects
    suspects.blame(KEY)
    now[0] = SUSPECT_S + 1
    assert KEY in suspects
    now[0] = 2 * SUSPECT_S
    assert KEY not in suspects


async def test_who_waits_for_a_suspect_goes_on_when_there_is_one():
    suspects = Suspects()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(suspects.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        suspects.blame(KEY)
