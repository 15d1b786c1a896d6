"""A gate counts what a channel did on a night, and says in words which limit it did not keep."""

from datetime import UTC, datetime

import numpy as np
import pytest
from support.pipelines import channel

from ampeld.channel.channel import Channel, GateLimits
from ampeld.daemon.gate import Difference, GateRun, Measured, broken_limits, compare, object_digest, result_of
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, GROUP, SKIPPED

ORIGIN = {"when": datetime(2026, 1, 1, tzinfo=UTC), "run": "r", "host": "h"}


def run(*batches: tuple[list[int], float], error: str | None = None) -> Measured:
    """Feed batches of (codes, seconds); the object of alert i of batch b is b.i."""
    tally = GateRun()
    for number, (codes, seconds) in enumerate(batches):
        objects = [f"ZTF{number}.{i}" for i in range(len(codes))]
        payloads = [name.encode() for name in objects]
        tally.feed(payloads, objects, np.array(codes, np.uint16), seconds=seconds, error=error)
    return tally.measured()


def limited(**limits: float) -> Channel:
    made = channel("a")
    return Channel(
        **{
            name: getattr(made, name) for name in ("name", "filter", "contact", "access", "on_known", "version", "path")
        },
        limits=GateLimits(**limits),
    )


def test_alerts_objects_and_time_are_counted() -> None:
    measured = run(([ACCEPTED, CUT, GROUP + 2, SKIPPED], 3e-6), ([CUT, CUT], 20e-6), ([ACCEPTED], 5e-6))
    assert (measured.seen, measured.accepted, measured.errors) == (6, 3, 0)
    assert measured.objects == ["ZTF0.0", "ZTF0.2", "ZTF2.0"]
    assert measured.pass_fraction == 0.5
    assert measured.us_per_alert == 5.0  # of 1, 10 and 5: one slow batch says nothing of the channel


def test_a_night_is_known_by_its_alerts_and_their_order() -> None:
    first, same, other = GateRun(), GateRun(), GateRun()
    for tally, payloads in ((first, [b"a", b"bc"]), (same, [b"a", b"bc"]), (other, [b"ab", b"c"])):
        tally.feed(payloads, ["x", "y"], np.array([CUT, CUT], np.uint16), seconds=0.0, error=None)
    assert first.measured().night == same.measured().night != other.measured().night


def test_what_cannot_be_read_is_no_alert() -> None:
    tally = GateRun()
    tally.feed([b"a", b"b", b"c"], ["x"], np.array([CUT], np.uint16), seconds=0.0, error=None)
    assert (tally.measured().seen, tally.measured().unreadable) == (1, 2)


@pytest.mark.parametrize(
    ("limits", "broken"),
    [
        ({}, None),
        ({"max_pass_fraction": 0.25}, None),
        ({"max_us_per_alert": 2.5}, None),
        (
            {"max_pass_fraction": 0.24},
            "it accepts 1 of 4 alerts, 0.25 of them: above gate.max_pass_fraction = 0.24",
        ),
        ({"max_us_per_alert": 2.4}, "it takes 2.5 µs per alert: above gate.max_us_per_alert = 2.4"),
    ],
)
def test_a_limit_may_be_reached_and_not_passed(limits: dict[str, float], broken: str | None) -> None:
    measured = run(([ACCEPTED, CUT, CUT, CUT], 10e-6))
    assert broken_limits(measured, GateLimits(**limits)) == ([broken] if broken else [])


def test_a_filter_that_fails_on_an_alert_does_not_pass() -> None:
    (why,) = broken_limits(run(([ERRORED, CUT], 0.0), error="ValueError: no"), GateLimits())
    assert why == "its code failed on 1 of 2 alerts: ValueError: no"


def test_a_night_without_alerts_opens_no_gate() -> None:
    assert broken_limits(run(([SKIPPED], 0.0)), GateLimits()) == [
        "the reference night has no alert that this channel may see"
    ]


def test_the_difference_to_a_former_version_names_the_objects() -> None:
    difference = compare(["b", "a", "c"], ["b", "d"])
    assert difference == Difference(["a", "c"], ["d"])
    assert str(difference) == "+2, −1 objects"  # noqa: RUF001  a minus
    assert str(compare(["a"], [])) == "+1, −0 object"  # noqa: RUF001  a minus


def test_a_result_says_what_was_asked_and_what_was_not_kept() -> None:
    measured = run(([ACCEPTED, CUT], 1e-6))
    result = result_of(limited(max_pass_fraction=0.1), measured, source="sim:0", reason=None, **ORIGIN)
    assert (result.passed, result.forced, result.opens) == (False, False, False)
    assert result.limits == {"max_pass_fraction": 0.1, "max_us_per_alert": None}
    assert (result.objects, result.n_objects, result.digest) == (["ZTF0.0"], 1, object_digest(["ZTF0.0"]))
    forced = result_of(limited(max_pass_fraction=0.1), measured, source="sim:0", reason="a nova", **ORIGIN)
    assert (forced.passed, forced.forced, forced.reason, forced.opens) == (False, True, "a nova", True)


def test_what_passes_needs_no_force() -> None:
    result = result_of(limited(), run(([CUT], 0.0)), source="sim:0", reason="to be sure", **ORIGIN)
    assert (result.passed, result.forced, result.reason) == (True, False, None)
