"""A unit is suspected for a while after it has cost a worker, and forgiven then."""

import asyncio

from ampeld.daemon.measuring.suspects import IN_SUCCESSION, SUSPECT_S, Suspects

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


def test_a_unit_is_hopeless_after_three_offences_without_a_measurement_between_them():
    suspects = Suspects()
    for _ in range(IN_SUCCESSION - 1):
        suspects.blame(KEY)
    suspects.praise(KEY)
    for _ in range(IN_SUCCESSION):
        assert not suspects.is_hopeless(KEY)
        suspects.blame(KEY)
    assert suspects.is_hopeless(KEY)
    suspects.praise(KEY)
    assert not suspects.is_hopeless(KEY)


async def test_who_waits_for_a_suspect_goes_on_when_there_is_one():
    suspects = Suspects()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(suspects.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        suspects.blame(KEY)
