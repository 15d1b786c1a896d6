"""A run of a channel over alerts, with assertions that tell the cut, the value and the limit when they fail."""

import asyncio
from collections.abc import AsyncIterable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from ampeld.channel.channel import Channel
from ampeld.channel.explain import Explanation
from ampeld.daemon.settings import Settings
from ampeld.flow.verdict import ACCEPT_CUT, cut_name, describe, is_accepted, is_rejected
from ampeld.names import did_you_mean
from ampeld.testing.bench import BenchRun
from ampeld.testing.find import Wanted, find_alerts
from ampeld.testing.judging import Judged, Read
from ampeld.testing.result import AcceptedAlert, Bench, ChannelError, CutCount
from ampeld.testing.sources import AlertSource

T = TypeVar("T")

_SHOWN = 5


class _Alert(msgspec.Struct, frozen=True):
    candid: int
    jd: float
    code: int


class Run:
    """What a channel said of some alerts; each ``assert_…`` raises AssertionError with the reason.

    Parameters
    ----------
    channel
        The channel.
    sources
        Where the alerts were read from, to be read again for an explanation.
    settings
        The configuration.
    """

    def __init__(self, channel: Channel, sources: list[AlertSource], settings: Settings) -> None:
        self.channel = channel
        self._sources = sources
        self._settings = settings
        self._alerts: dict[str, list[_Alert]] = {}
        self._bench: Bench = run_here(BenchRun(channel, settings, on_batch=self._note).read(sources))

    def __repr__(self) -> str:
        return f"<Run of {self.channel.name}: {len(self.accepted)} of {self.seen} alerts accepted>"

    def _note(self, read: Read, judged: Judged) -> None:
        columns = zip(read.table.object, read.table.candid, read.table.jd, judged.codes, strict=True)
        for name, candid, jd, code in columns:
            self._alerts.setdefault(name, []).append(_Alert(int(candid), float(jd), int(code)))

    @property
    def seen(self) -> int:
        """Return how many alerts the filter was asked about."""
        return self._bench.result.seen

    @property
    def accepted(self) -> list[AcceptedAlert]:
        """Return the accepted alerts, in the order in which they came."""
        return self._bench.result.accepted

    @property
    def objects(self) -> list[str]:
        """Return the accepted objects, in the order of their first accepted alerts."""
        return self._bench.result.objects

    @property
    def cuts(self) -> dict[str, CutCount]:
        """Return by cut how many alerts it rejected, in sequence and alone."""
        return self._bench.result.cuts

    @property
    def errors(self) -> list[ChannelError]:
        """Return the first of the alerts on which the filter's own code failed."""
        return self._bench.result.errors

    @property
    def pass_fraction(self) -> float:
        """Return accepted alerts by alerts seen, 0 to 1."""
        return self._bench.result.pass_fraction

    @property
    def us_per_alert(self) -> float:
        """Return the time of the filter by alerts seen [us]."""
        return self._bench.result.us_per_alert

    def explain(self, alert: Wanted) -> Explanation:
        """Return every cut with value and limit for an alert, of an object its newest one; the source is read again.

        Raises
        ------
        LookupError
            If the source has no such alert, or the channel may not see it.
        """
        found = run_here(_collect(find_alerts(self.channel, self._sources, alert, self._settings)))
        newest = max(found, key=lambda one: one.jd, default=None)
        if newest is None:
            raise LookupError(self._unknown(alert))
        if newest.explanation is None:
            raise LookupError(f"{self.channel.name} may not see {newest.candid} of {newest.object}")
        return newest.explanation

    def assert_accepts(self, objects: Wanted | Collection[Wanted]) -> None:
        """Assert that each of these is accepted: an object by its name (one of its alerts will do), or a candid."""
        wanted = [objects] if isinstance(objects, str | int) else list(objects)
        missed = [one for one in wanted if not any(is_accepted(alert.code) for alert in self._of(one))]
        if missed:
            shown = [self._why(one) for one in missed[:_SHOWN]]
            more = [f"and {len(missed) - _SHOWN} more"] if len(missed) > _SHOWN else []
            head = f"{self.channel.name} does not accept {len(missed)} of {len(wanted)}:"
            raise AssertionError("\n  ".join([head, *shown, *more]))

    def assert_rejects(self, objects: Wanted | Collection[Wanted], *, cut: str | None = None) -> None:
        """Assert that each of these is rejected: all alerts of an object; with ``cut``, one of them at least by it."""
        wanted = [objects] if isinstance(objects, str | int) else list(objects)
        if cut is not None and cut not in self.cuts:
            raise AssertionError(f"{self.channel.name} has no cut {cut!r}{did_you_mean(cut, self.cuts)}")
        names = self.channel.cut_names.names
        problems = []
        for one in wanted:
            alerts = self._of(one)
            by = {describe(alert.code, names) for alert in alerts}
            if not alerts or not all(is_rejected(alert.code) for alert in alerts):
                problems.append(self._why(one))
            elif cut is not None and not any(cut == cut_name(alert.code, names) for alert in alerts):
                problems.append(f"{one}: {', '.join(sorted(by))}, and not by {cut}: {self._reason(one, cut)}")
        if problems:
            wish = f"reject by {cut}" if cut else "reject"
            raise AssertionError("\n  ".join([f"{self.channel.name} does not {wish}:", *problems[:_SHOWN]]))

    def assert_pass_fraction(self, *, below: float | None = None, above: float | None = None) -> None:
        """Assert that accepted alerts by alerts seen lie below one fraction or above another, both exclusive."""
        counts = f"{self.channel.name} accepts {len(self.accepted)} of {self.seen} alerts: {self.pass_fraction:.4g}"
        if not self.seen:
            raise AssertionError(f"{self.channel.name} was asked about no alert")
        if below is not None and not self.pass_fraction < below:
            raise AssertionError(f"{counts} is not below {below:g}; {self._funnel()}")
        if above is not None and not self.pass_fraction > above:
            raise AssertionError(f"{counts} is not above {above:g}; {self._funnel()}")

    def assert_no_errors(self) -> None:
        """Assert that the filter's own code did not fail on any alert."""
        if self.errors:
            first = self.errors[0]
            count = self._bench.result.errored
            raise AssertionError(
                f"{self.channel.name} fails on {count} alerts, first {first.candid}:\n{first.traceback}"
            )

    def _of(self, wanted: Wanted) -> list[_Alert]:
        """Return the alerts that are meant, by jd."""
        found = self._alerts.get(str(wanted)) or [
            alert for alerts in self._alerts.values() for alert in alerts if alert.candid == wanted
        ]
        return sorted(found, key=lambda alert: alert.jd)

    def _why(self, wanted: Wanted) -> str:
        """Return what became of an alert or object, with the values of the cut that it failed or of all it passed."""
        alerts = self._of(wanted)
        if not alerts:
            return self._unknown(wanted)
        newest = alerts[-1]
        verdict = describe(newest.code, self.channel.cut_names.names)
        try:
            explanation = self.explain(newest.candid)
        except LookupError as unseen:
            return str(unseen)
        cuts = [explanation.failed] if explanation.failed else explanation.cuts
        values = "; ".join(f"{cut.name}: {cut.text}" for cut in cuts) if not explanation.failure else ""
        failure = f"\n{explanation.failure.traceback}" if explanation.failure else ""
        others = f" (the newest of {len(alerts)} alerts)" if len(alerts) > 1 else ""
        return f"{wanted}: {newest.candid}{others} is {verdict}{failure}{': ' if values else ''}{values}"

    def _reason(self, wanted: Wanted, cut: str) -> str:
        """Return what one cut says of the newest alert."""
        if cut == ACCEPT_CUT:
            return "it does not come to accept()"
        cuts = self.explain(self._of(wanted)[-1].candid).cuts
        return next(
            (f"{one.text} {'passes' if one.passed else 'fails'}" for one in cuts if one.name == cut), "not asked"
        )

    def _unknown(self, wanted: Wanted) -> str:
        near = did_you_mean(str(wanted), self._alerts) if isinstance(wanted, str) else ""
        number = sum(map(len, self._alerts.values()))
        return f"{wanted}: none of the {number} alerts of {len(self._alerts)} objects in the source is it{near}"

    def _funnel(self) -> str:
        return "rejected: " + ", ".join(f"{name} {count.rejected}" for name, count in self.cuts.items())


async def _collect(found: AsyncIterable[T]) -> list[T]:
    return [one async for one in found]


def run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop is running here."""
    if not _is_running():
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def _is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
