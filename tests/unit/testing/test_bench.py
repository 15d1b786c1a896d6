"""A run counts every alert once, in sequence and alone, and compares with another channel object by object."""

from pathlib import Path

import pytest

from ampeld.channel import Alert, Columns, Cuts, Filter
from ampeld.channel.channel import Channel
from ampeld.daemon.settings import Settings
from ampeld.errors import ConfigError
from ampeld.flow.record import Coordinates
from ampeld.testing.bench import BenchRun
from ampeld.testing.sources import PacketAlerts, record_at


class Cut(Filter):
    limit: float = 19.0

    def cuts(self, a: Columns) -> Cuts:
        yield "bright", a.magpsf <= self.limit
        yield "north", a.dec >= 0
        yield "real", a.rb >= 0.5


class Grouped(Cut):
    def accept(self, alert: Alert) -> int:
        return 2 if alert.candidate.fid == 1 else -4


class Half(Cut):
    def accept(self, alert: Alert) -> bool:
        if alert.candidate.fid == 1:
            raise ValueError("green")
        return True


class Searching(Filter):
    def catalogs(self):
        return {"gaia": ["parallax"]}


def channel_of(made: Filter, name: str = "tried", access: str = "ZTF_PUB") -> Channel:
    return Channel(
        name=name, filter=made, contact="me", access=frozenset({access}), on_known="off", version="1", path=Path()
    )


async def bench(made, packets, *, other=None, access="ZTF_PUB", limit=None):
    rival = None if other is None else channel_of(other, "other")
    run = BenchRun(channel_of(made, access=access), Settings(), other=rival)
    return await run.read([PacketAlerts(packets)], limit=limit)


async def test_the_funnel_adds_up_in_sequence_and_each_cut_is_counted_alone(packets):
    result = (await bench(Cut(), packets)).result
    assert result.seen == len(packets)
    assert result.seen - sum(cut.rejected for cut in result.cuts.values()) == len(result.accepted) > 0
    assert all(cut.alone >= cut.rejected for cut in result.cuts.values())
    assert result.cuts["bright"].alone == result.cuts["bright"].rejected
    assert list(result.cuts) == ["bright", "north", "real"]


async def test_batches_do_not_matter(packets):
    run = BenchRun(channel_of(Cut()), Settings())
    for number, packet in enumerate(packets):
        run.feed([record_at(Coordinates("t", 0, number), packet, None)])
    one_by_one = (await run.read([])).result
    together = (await bench(Cut(), packets)).result
    assert one_by_one.accepted == together.accepted
    assert one_by_one.cuts == together.cuts


async def test_groups_and_codes_of_accept_are_told(packets):
    result = (await bench(Grouped(), packets)).result
    assert {alert.group for alert in result.accepted} == {2}
    assert result.codes == {4: result.cuts["accept"].rejected}
    assert result.cuts["accept"].alone is None


async def test_errors_are_counted_with_their_tracebacks(packets):
    result = (await bench(Half(), packets)).result
    assert result.errored == len(result.errors) > 0
    assert "ValueError: green" in result.errors[0].traceback
    assert result.seen - result.errored - sum(cut.rejected for cut in result.cuts.values()) == len(result.accepted)


async def test_a_difference_names_objects_and_the_cut_of_the_one_that_rejects_them(packets):
    bench_ = await bench(Cut(limit=20.0), packets, other=Cut(limit=18.0))
    added = bench_.difference.added
    assert added
    assert {change.cut for change in added} == {"bright"}
    assert not bench_.difference.removed
    assert str(bench_.difference).startswith(f"+{len(added)} ")
    back = (await bench(Cut(limit=18.0), packets, other=Cut(limit=20.0))).difference
    assert {change.object for change in back.removed} == {change.object for change in added}
    assert not back.added


async def test_what_is_no_alert_is_counted_apart(packets):
    bench_ = await bench(Cut(), [b"junk", *packets[:3]])
    assert (bench_.refused, bench_.result.seen) == (1, 3)
    assert str(bench_.refusals[0].coordinates) == "packets/0/0"
    assert bench_.refusals[0].reason


async def test_at_most_so_many_alerts_are_read(packets):
    assert (await bench(Cut(), packets, limit=7)).result.seen == 7


async def test_a_catalogue_that_is_missing_is_told_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="there is no catalogue 'gaia'"):
        await bench(Searching(), [])
