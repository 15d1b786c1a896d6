"""A simulated night hangs together: reproducible, complete, and with one past for every object."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from ampeld.alert.identity import stock_of
from ampeld.demo.shapes import SUPERNOVAE
from ampeld.demo.simulate import SimulatedNights, simulate_night


def first_sent(sent):
    return [(alert, packet) for alert, packet in sent if not alert.duplicate]


def test_the_same_arguments_give_the_same_bytes(sent):
    again = simulate_night(11, 400, nights=4)
    assert [alert.packet for alert in again] == [alert.packet for alert, _ in sent]


def test_another_seed_gives_another_night(sent):
    other = {alert.object for alert in simulate_night(12, 50)}
    assert not other & {alert.object for alert, _ in sent}


@pytest.mark.parametrize("count", [1, 7, 60])
def test_as_many_packets_come_as_were_asked_for(count):
    assert len(list(simulate_night(3, count))) == len(SimulatedNights(3, count)) == count


def test_a_limit_on_objects_limits_the_alerts():
    nights = SimulatedNights(3, 500, objects=20)
    assert len({alert.object for alert in nights}) == len(nights.objects) == 20
    assert len(nights) < 500


def test_a_night_of_a_thousand_holds_every_kind_and_ten_supernovae():
    kinds = Counter(it.kind for it in SimulatedNights(1, 1000).objects)
    assert sum(kinds[kind] for kind in SUPERNOVAE) >= 10
    assert set(kinds) == {*SUPERNOVAE, "asteroid", "variable", "agn", "bogus"}


def test_candids_and_names_are_unique_and_made_like_real_ones(sent):
    alerts = first_sent(sent)
    assert len({alert.candid for alert, _ in alerts}) == len(alerts)
    for alert, packet in alerts:
        body = packet["candidate"]
        assert packet["objectId"] == alert.object
        assert packet["candid"] == body["candid"] == alert.candid
        assert body["candid"] // 1_000_000 == body["pid"]
        assert body["pid"] % 10_000 // 100 == body["rcid"]
        assert body["pid"] // 10**9 == body["nid"] == int(body["jd"] - 2457754.5)
        stock_of(alert.object)


def test_one_name_is_one_kind_of_thing_at_one_place(sent):
    places = defaultdict(list)
    for alert, packet in sent:
        places[alert.object].append((alert.kind, packet["candidate"]["ra"], packet["candidate"]["dec"]))
    for found in places.values():
        assert len({kind for kind, _, _ in found}) == 1
        assert max(dec for _, _, dec in found) - min(dec for _, _, dec in found) < 1 / 3600


def test_a_point_is_the_same_in_every_history_that_quotes_it(sent):
    points = defaultdict(list)
    for alert, packet in sent:
        for point in packet["prv_candidates"] or []:
            points[alert.object, point["jd"]].append(point)
    assert any(len(quoted) > 1 for quoted in points.values())
    assert all(point == quoted[0] for quoted in points.values() for point in quoted)


def test_an_alert_stands_in_the_histories_of_its_later_ones(sent):
    histories, latest = defaultdict(dict), defaultdict(float)
    for alert, packet in sent:
        histories[alert.object] |= {point["candid"]: point for point in packet["prv_candidates"] or []}
        latest[alert.object] = max(latest[alert.object], alert.jd)
    quoted = [(alert, packet["candidate"]) for alert, packet in first_sent(sent) if alert.jd < latest[alert.object]]
    assert quoted
    for alert, body in quoted:
        assert histories[alert.object][alert.candid]["magpsf"] == pytest.approx(body["magpsf"], abs=1e-4)
        assert histories[alert.object][alert.candid]["jd"] == body["jd"]


def test_histories_reach_back_thirty_days_and_hold_detections_or_limits(sent):
    for alert, packet in sent:
        for point in packet["prv_candidates"] or []:
            assert alert.jd - 30 <= point["jd"] < alert.jd
            assert point["diffmaglim"] > 0
            assert (point["candid"] is None) == (point["magpsf"] is None)
        counted = sum(point["candid"] is not None for point in packet["prv_candidates"] or []) + 1
        assert packet["candidate"]["ndethist"] >= counted
        assert packet["candidate"]["jdstarthist"] <= packet["candidate"]["jdendhist"] == alert.jd


def test_supernovae_rise_beside_galaxies_and_asteroids_come_once(sent):
    for alert, packet in sent:
        body = packet["candidate"]
        if alert.kind in SUPERNOVAE:
            assert body["isdiffpos"] == "t"
            assert body["sgscore1"] < 0.5 < body["drb"]
            assert body["distpsnr1"] > 0.5
        if alert.kind == "asteroid":
            assert body["ndethist"] == 1
            assert all(point["candid"] is None for point in packet["prv_candidates"] or [])


def test_alerts_come_in_the_order_of_time_but_for_the_late_ones(sent):
    punctual = [alert.jd for alert, _ in sent if not alert.late and not alert.duplicate]
    assert punctual == sorted(punctual)


def test_a_late_alert_comes_after_a_later_one_of_its_object(sent):
    late = [(place, alert) for place, (alert, _) in enumerate(sent) if alert.late and not alert.duplicate]
    assert late
    for place, alert in late:
        assert any(before.object == alert.object and before.jd > alert.jd for before, _ in sent[:place])


def test_a_duplicate_is_the_same_packet_again(sent):
    seen = {}
    for alert, _ in sent:
        assert alert.duplicate == (alert.candid in seen)
        assert seen.setdefault(alert.candid, alert.packet) == alert.packet
    assert sum(alert.duplicate for alert, _ in sent) == 4


def test_nights_follow_the_start_and_hold_their_alerts():
    alerts = list(simulate_night(5, 60, nights=3, start=date(2026, 1, 30)))
    assert {alert.night for alert in alerts} <= {date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)}
    assert all(int(alert.jd + 0.5) - 1721425 == alert.night.toordinal() for alert in alerts)
