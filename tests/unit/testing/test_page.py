"""The page holds everything in itself: the funnel, the light curves of the accepted, what changed, what failed."""

import re
from pathlib import Path

import pytest

from ampeld.channel import Alert, Columns, Cuts, Filter
from ampeld.channel.channel import Channel
from ampeld.channel.passall import PassAll
from ampeld.daemon.settings import Settings
from ampeld.testing.bench import BenchRun
from ampeld.testing.curves import Curves
from ampeld.testing.page import write_page
from ampeld.testing.sources import PacketAlerts

PNG = b"\x89PNG\r\n\x1a\n"


class Some(Filter):
    max_mag: float = 18.5

    def cuts(self, a: Columns) -> Cuts:
        yield "bright & <real>", a.magpsf <= self.max_mag

    def accept(self, alert: Alert) -> int:
        return 1 / (alert.candidate.fid - 1) > 0 and 3


def channel_of(made, name="tried"):
    access = frozenset({"ZTF_PUB"})
    return Channel(name=name, filter=made, contact="", access=access, on_known="off", version="v", path=Path())


async def tried(made, packets, *, other=None, most=24):
    curves = Curves(most)
    rival = None if other is None else channel_of(other, "other")
    run = BenchRun(channel_of(made), Settings(), other=rival, on_batch=curves.note)
    return await run.read([PacketAlerts(packets)]), curves


async def test_a_light_curve_is_that_of_the_newest_accepted_alert(packets):
    bench, curves = await tried(PassAll(), packets, most=100)
    assert {curve.object for curve in curves} == set(bench.result.objects)
    for curve in curves:
        newest = max((a for a in bench.result.accepted if a.object == curve.object), key=lambda alert: alert.jd)
        assert (curve.candid, curve.jd) == (newest.candid, newest.jd)
        assert [point.jd for point in curve.points] == sorted(point.jd for point in curve.points)
        assert all(point.jd <= curve.jd and point.band in {"g", "r", "i"} for point in curve.points)
        assert all(point.err > 0 for point in curve.points if not point.limit)
    assert any(point.limit for curve in curves for point in curve.points)


async def test_only_so_many_objects_are_kept_and_the_others_counted(packets):
    bench, curves = await tried(PassAll(), packets, most=5)
    assert len(curves) == 5
    assert len(curves.left_out) == len(bench.result.objects) - 5
    assert {curve.object for curve in curves} == set(bench.result.objects[:5])


async def test_the_page_asks_no_network_and_shows_funnel_curves_difference_and_errors(packets, tmp_path):
    bench, curves = await tried(Some(), packets, other=PassAll())
    path = tmp_path / "new" / "page.html"
    write_page(path, bench, curves, source="sim:1:60")
    text = path.read_text()
    assert not re.search(r'(src|href|url)\s*[=(]\s*["\']?(https?:)?//', re.sub(r'xmlns(:\w+)?="[^"]*"', "", text))
    assert text.count("<svg") == 2 + len(curves)
    assert "bright &amp; &lt;real&gt;" in text
    assert all(name in text for name in bench.result.objects)
    assert f"Against other: {bench.difference}" in text
    assert f"{bench.result.errored} alerts errored" in text
    assert "ZeroDivisionError" in text


async def test_the_same_run_gives_the_same_picture(packets, tmp_path):
    bench, curves = await tried(PassAll(), packets[:5])
    for name in ("one", "two"):
        write_page(tmp_path / f"{name}.html", bench, curves, source="x")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize("number", [0, 1, 7])
async def test_a_picture_is_drawn_whatever_was_accepted(packets, tmp_path, number):
    bench, curves = await tried(PassAll(), packets[:number])
    write_page(tmp_path / "page.png", bench, curves, source="x")
    assert (tmp_path / "page.png").read_bytes().startswith(PNG)
    write_page(tmp_path / "page.html", bench, curves, source="x")
    assert ("Nothing was accepted" in (tmp_path / "page.html").read_text()) == (number == 0)
