"""What is known is not measured again; what cannot be measured in the flow waits as a ticket, or has failed."""

from collections import Counter

import pytest
from bson.int64 import Int64
from fakes.store import MemoryStore
from support.pipelines import PROVENANCE
from support.units import wanted, wanting
from support.wanted_features import Flow, alert

from ampeld.errors import RetryableError
from ampeld.flow.codes import ERROR, EXCEPTION, FAILED_DEPENDENCY, NEW, OK, PENDING_DEPENDENCY, RERUN_REQUESTED, RUNNING
from ampeld.stages.deduplicate import Flusher
from ampeld.store.documents import StoredBody
from ampeld.store.errors import UnstorableError


class TestKnown:
    async def test_a_redelivery_measures_and_writes_nothing(self):
        flow = Flow(wanting("a", wanted("Tied", "Slow", "Broken")))
        await flow.flush(alert(30, 20))
        measured, writes = Counter(flow.measurer.measured), flow.store.calls["write_features"]
        await flow.flush(alert(30, 20))

        assert flow.measurer.measured == measured
        assert flow.store.calls["write_features"] == writes

    async def test_a_second_channel_is_added_and_nothing_is_measured(self):
        flow = Flow(wanting("a", wanted("Tied")), wanting("b", wanted("Tied")))
        await flow.flush(alert(30, 20))
        measured = Counter(flow.measurer.measured)
        await flow.flush(alert(30, 20, channels=("b",)))

        assert flow.measurer.measured == measured
        assert all(document["channel"] == ["a", "b"] for document in flow.store.features.values())
        assert all(len(document["meta"]) == 1 for document in flow.store.features.values())

    async def test_a_new_object_is_not_looked_up(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        await flow.flush(alert(20, 10))
        assert "find_features" not in flow.store.calls

        await flow.flush(alert(30), alert(40))
        assert flow.store.calls["find_features"] == 1

    async def test_the_newest_state_is_measured_anew_when_a_body_becomes_full(self):
        flow = Flow(wanting("a", wanted("Tied")))
        await flow.flush(alert(30, 20))
        await flow.flush(alert(20))

        assert flow.body("Sizes", flow.newest()) == {"ids": [20, 30], "full": [20, 30]}
        assert flow.body("Tied", flow.newest())["inputs"][0]["full"] == [20, 30]
        assert flow.document("Sizes", flow.newest())["full"] == 2
        assert flow.document("Sizes", flow.newest())["code"] == OK

    async def test_a_state_that_is_not_the_newest_stays_as_it_was(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        await flow.flush(alert(30, 20))
        link = flow.newest()
        await flow.flush(alert(40))
        await flow.flush(alert(20))

        assert flow.body("Sizes", link)["full"] == [30]
        assert flow.body("Sizes", flow.newest())["full"] == [20, 30, 40]

    async def test_a_point_that_becomes_full_is_measured_anew(self):
        flow = Flow(wanting("a", wanted("Mark")))
        await flow.flush(alert(30, 20))
        assert not flow.body("Mark", 20)["full"]

        await flow.flush(alert(20))
        assert flow.body("Mark", 20)["full"]


class TestMemory:
    async def test_bodies_of_an_object_that_is_met_again_are_not_read_again(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        for number in (20, 30, 40):
            await flow.flush(alert(number, 10))

        assert "find_bodies" not in flow.store.calls
        assert flow.body("Sizes", flow.newest()) == {"ids": [10, 20, 30, 40], "full": [20, 30, 40]}

    async def test_bodies_are_read_that_somebody_else_has_written(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        await flow.flush(alert(30, 20))
        await Flow(*flow.channels, store=flow.store).flush(alert(20))
        await flow.flush(alert(40))

        assert flow.store.calls["find_bodies"] == 2
        assert flow.body("Sizes", flow.newest())["full"] == [20, 30, 40]

    async def test_bodies_are_read_when_other_fields_are_wanted(self):
        flow = Flow(wanting("a", wanted("Name")))
        await flow.flush(alert(20, 10))
        flow.channels = (wanting("a", wanted("Sizes")),)
        await flow.flush(alert(30))

        assert flow.store.calls["find_bodies"] == 1
        assert flow.body("Sizes") == {"ids": [10, 20, 30], "full": [20, 30]}

    async def test_a_large_number_as_the_database_returns_it_is_remembered_as_a_plain_one(self):
        class Database(MemoryStore):
            async def find_bodies(self, points, fields):
                found = await super().find_bodies(points, fields)
                return {n: StoredBody(s.tag, s.body | {"full": Int64(1 << 40)}, s.full) for n, s in found.items()}

        store = Database()
        await Flow(wanting("a", wanted("Sizes")), store=store).flush(alert(20, 10))
        flow = Flow(wanting("a", wanted("Sizes")), store=store)
        for number in (30, 40):
            await flow.flush(alert(number))

        assert store.calls["find_bodies"] == 1
        assert flow.body("Sizes", flow.newest()) == {"ids": [10, 20, 30, 40], "full": [10, 20, 30, 40]}

    async def test_a_body_that_became_full_is_remembered_so(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        for number in (30, 20, 40):
            await flow.flush(alert(number, *([20] if number == 30 else [])))

        assert flow.body("Sizes", flow.newest())["full"] == [20, 30, 40]


class TestTickets:
    async def test_a_flush_that_has_written_tickets_says_so_and_no_other_does(self):
        told = []
        flow = Flow(
            wanting("a", wanted("Slow")),
            wanting("b", wanted("Sizes")),
            on_tickets=lambda: told.append(flow.store.calls["write_features"]),
        )
        await flow.flush(alert(20, channels=("b",)))
        assert not told
        await flow.flush(alert(30))
        assert told == [2]

    async def test_a_slow_unit_becomes_a_ticket(self):
        flow = Flow(wanting("a", wanted("Slow")))
        await flow.flush(alert(20), alert(30))

        assert set(flow.codes.values()) == {NEW}
        document = flow.document("Slow", flow.newest())
        assert (document["body"], document["due"], document["jd"]) == ([], 2, 3.0)
        assert document["meta"][0]["code"] == NEW
        assert not flow.measurer.cases

    async def test_what_builds_upon_a_slow_unit_waits_for_it(self):
        flow = Flow(wanting("a", wanted("OnSlow")))
        await flow.flush(alert(20))

        assert flow.codes == {("Slow", flow.newest()): NEW, ("OnSlow", flow.newest()): PENDING_DEPENDENCY}

    async def test_what_the_time_does_not_suffice_for_becomes_a_ticket_with_what_builds_upon_it(self):
        flow = Flow(wanting("a", wanted("Name", "Tied")))
        flow.measurer.late = {"Sizes"}
        await flow.flush(alert(20))

        link = flow.newest()
        assert flow.codes == {
            ("Name", 1): OK,
            ("Sizes", link): NEW,
            ("Mark", 20): NEW,
            ("Tied", link): PENDING_DEPENDENCY,
        }

    async def test_what_waits_is_not_measured_in_the_flow_and_gets_the_jd_of_the_newest_alert(self):
        flow = Flow(wanting("a", wanted("Mark")))
        flow.measurer.late = {"Mark"}
        await flow.flush(alert(20))
        flow.measurer.late = set()
        await flow.flush(alert(30))

        document = flow.document("Mark")
        assert (document["code"], document["jd"], len(document["meta"])) == (NEW, 3.0, 1)

    async def test_who_runs_no_units_makes_tickets_of_everything(self):
        store = MemoryStore()
        flusher = Flusher(store, PROVENANCE, "group")
        _, _, measured = await flusher._write([alert(20)], [wanting("a", wanted("Tied"))])
        await flusher._write_features(measured)

        assert sorted(document["code"] for document in store.features.values()) == sorted(
            [PENDING_DEPENDENCY, *[NEW] * 3]
        )

    async def test_what_another_daemon_runs_is_asked_for_again_when_a_body_became_full(self):
        flow = Flow(wanting("a", wanted("Slow")))
        await flow.flush(alert(30, 20))
        document = flow.document("Slow")
        document |= {"code": RUNNING, "lease": {"token": 1}}
        await flow.flush(alert(20))

        running = flow.document("Slow", flow.newest())
        assert (running["code"], running["due"], "lease" in running) == (NEW, 2, False)

    async def test_what_was_reset_is_measured_when_its_newest_state_is_met_again(self):
        flow = Flow(wanting("a", wanted("Sizes", "Slow")))
        await flow.flush(alert(20))
        for name in ("Sizes", "Slow"):
            document = flow.document(name)
            document |= {"code": RERUN_REQUESTED}
            document.pop("full", None)
            document.pop("due", None)
        for _ in range(2):
            await flow.flush(alert(20))

        assert len(flow.document("Sizes")["body"]) == 2
        assert (flow.document("Slow")["code"], flow.document("Slow")["due"]) == (RERUN_REQUESTED, 1)


class TestFailures:
    async def test_a_unit_that_raises_is_a_result_with_its_traceback(self):
        flow = Flow(wanting("a", wanted("Broken", "Nonsense", "Sizes")))
        await flow.flush(alert(20))

        link = flow.newest()
        assert flow.codes == {("Broken", link): EXCEPTION, ("Nonsense", link): ERROR, ("Sizes", link): OK}
        (entry,) = flow.document("Broken")["meta"]
        assert "ValueError: broken" in entry["error"]
        entry["error"].encode()
        assert flow.document("Broken")["body"] == []

    async def test_whoever_listens_is_told_of_a_failure_once(self):
        flow = Flow(wanting("a", wanted("Broken")), wanting("b", wanted("Broken")))
        for _ in range(2):
            await flow.flush(alert(20, channels=("a", "b")))

        (failure,) = flow.failures
        assert (failure.key.unit, failure.channels, failure.code) == ("Broken", ("a", "b"), EXCEPTION)
        assert "broken" in failure.error

    async def test_what_builds_upon_a_failure_fails_now_and_later(self):
        flow = Flow(wanting("a", wanted("Broken")), wanting("b", wanted("OnBroken")))
        await flow.flush(alert(20, channels=("a", "b")))
        assert flow.codes["OnBroken", flow.newest()] == FAILED_DEPENDENCY

        flow = Flow(*flow.channels)
        await flow.flush(alert(20))
        await flow.flush(alert(20, channels=("b",)))
        assert flow.codes["OnBroken", flow.newest()] == FAILED_DEPENDENCY
        assert flow.measurer.measured["Broken", flow.newest()] == 1

    async def test_a_body_that_the_store_refuses_is_the_units_error(self):
        class Refusing(MemoryStore):
            async def write_features(self, changes):
                for change in changes:
                    if change.body is not None and change.key.unit == "Sizes":
                        key = change.key
                        raise UnstorableError("too large", f"{key.stock}/t1/{key.link}/Sizes/{key.config}")
                await super().write_features(changes)

        flow = Flow(wanting("a", wanted("Sizes", "Name")), store=Refusing())
        await flow.flush(alert(20))

        assert flow.codes == {("Sizes", flow.newest()): ERROR, ("Name", 1): OK}
        assert "too large" in flow.failures[0].error


class TestRaces:
    async def test_results_of_a_lost_object_are_dropped_and_planned_again(self):
        flow = Flow(wanting("a", wanted("Sizes")))
        other = Flow(*flow.channels, store=flow.store)

        async def race(_):
            flow.store.before_swap = None
            await other.flush(alert(20))

        flow.store.before_swap = race
        await flow.flush(alert(30))

        assert flow.body("Sizes", flow.newest())["full"] == [20, 30]
        assert {key.link for key in flow.store.features} == {link for _, link in flow.store.states}

    async def test_a_late_result_from_fewer_full_bodies_changes_nothing(self):
        """Another daemon brings a full body after ours has read the poor one, and its result is there first."""
        flow = Flow(wanting("a", wanted("Sizes")))
        other = Flow(*flow.channels, store=flow.store)
        await flow.flush(alert(30, 20))
        measure = flow.measurer.measure

        async def race(cases, *, budget_s):
            await other.flush(alert(20))
            return await measure(cases, budget_s=budget_s)

        flow.measurer.measure = race
        await flow.flush(alert(40))

        assert flow.measurer.measured["Sizes", flow.newest()] == 1
        assert flow.body("Sizes", flow.newest())["full"] == [20, 30, 40]
        assert flow.document("Sizes", flow.newest())["full"] == 3

    async def test_a_point_that_has_gone_meanwhile_makes_the_flush_start_again(self):
        class Forgetful(MemoryStore):
            async def find_bodies(self, points, fields):
                found = await super().find_bodies(points, fields)
                return {} if self.calls["find_bodies"] == 1 else found

        store = Forgetful()
        await Flow(wanting("a", wanted("Sizes")), store=store).flush(alert(20))
        flow = Flow(wanting("a", wanted("Sizes")), store=store)
        with pytest.raises(RetryableError):
            await flow.flush(alert(30))
        await flow.flush(alert(30))

        assert flow.body("Sizes", flow.newest())["ids"] == [20, 30]
