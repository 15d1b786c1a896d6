"""What becomes of tickets, given what came of their measurements: a result, another try, or an end for good."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from ampeld.daemon.measuring.cases import Posed, Refusal
from ampeld.daemon.measuring.hand import Lost
from ampeld.daemon.measuring.opening import Key
from ampeld.daemon.measuring.slot import Result
from ampeld.feature.work import MOST_TRACEBACK, Case, Measurement
from ampeld.flow.codes import MISSING_DEPENDENCY, PENDING_DEPENDENCY, TOO_MANY_TRIALS
from ampeld.stages.ports import Provenance
from ampeld.store.documents import FeatureChange
from ampeld.store.tickets import Ending, Postponed, Ticket

MOST_ABSENT: Final = 10
"""How often a document is looked for that a unit builds upon: flushes write it together with the ticket."""
WAIT_S: Final = 1.0
"""Until what waits for another unit is looked at again, at first; it doubles from time to time."""
MOST_WAIT_S: Final = 60.0
TURN_S: Final = 1.0
"""Until a ticket is looked at again whose turn did not come: its unit is suspected by now, or there is no worker."""
MOST_RETRY_S: Final = 3600.0


class Concluder:
    """Says what becomes of tickets.

    Parameters
    ----------
    provenance
        Who measures.
    deadline_s
        How long a measurement may take [s]; one that overran waits for twice as long, and twice that the next time.
    max_trials
        How often it is tried.
    """

    def __init__(self, provenance: Provenance, *, deadline_s: float, max_trials: int) -> None:
        self._origin = {"run": provenance.run, "instance": provenance.instance, "version": provenance.version}
        self._deadline_s = deadline_s
        self._max_trials = max_trials

    def endings(
        self, case: Case, posed: Sequence[Posed], results: Sequence[Result], traces: Mapping[Key, int], now: float
    ) -> Iterator[Ending]:
        """Yield what becomes of the tickets of one case.

        Parameters
        ----------
        case
            As it was measured.
        posed
            Which of its jobs are tickets.
        results
            Of its jobs.
        traces
            By unit: the number of the trace that its results name.
        now
            Seconds since the epoch.
        """
        for one in posed:
            ticket, result = one.ticket, results[one.position]
            entry = self._entry(ticket, now)
            trace = traces.get((ticket.key.unit, ticket.key.config))
            if trace is not None:
                entry["trace"] = trace
            if isinstance(result, Measurement):
                entry |= {"code": result.code, "ms": round(result.ms, 3)} | _told(result.error)
                yield Ending(ticket.id, ticket.key, _result(ticket, one.full, result.code, result.body, entry))
            elif isinstance(result, Lost):
                yield Ending(ticket.id, ticket.key, self._again(one, result, entry))
            elif any(i >= 0 and not _is_there(case, results, i) for i in case.jobs[one.position].inputs):
                yield Ending(ticket.id, ticket.key, _wait(ticket))
            else:  # its turn did not come
                yield Ending(ticket.id, ticket.key, Postponed(ticket.code, TURN_S, ticket.trials, ticket.waits))

    def refusal(self, ticket: Ticket, refusal: Refusal, now: float) -> Ending:
        """Return what becomes of a ticket that cannot be measured."""
        if refusal.code == PENDING_DEPENDENCY and not (refusal.is_absent and ticket.waits >= MOST_ABSENT):
            return Ending(ticket.id, ticket.key, _wait(ticket))
        code = MISSING_DEPENDENCY if refusal.is_absent else refusal.code
        entry = self._entry(ticket, now) | {"code": code, "error": refusal.error}
        return Ending(ticket.id, ticket.key, _result(ticket, ticket.due, code, None, entry))

    def refuse(self, ending: Ending, code: int, error: str) -> Ending:
        """Return the ending in the place of one that the store cannot hold."""
        assert isinstance(ending.what, FeatureChange)
        meta = {**(ending.what.meta or {}), "code": code, "error": error}
        return Ending(ending.id, ending.key, msgspec.structs.replace(ending.what, code=code, body=None, meta=meta))

    def _again(self, one: Posed, lost: Lost, entry: dict[str, Any]) -> FeatureChange | Postponed:
        ticket = one.ticket
        trials = ticket.trials + 1
        entry |= {"ms": round(lost.ms, 3), "trial": trials} | _told(lost.error)
        if trials >= self._max_trials:
            return _result(ticket, one.full, TOO_MANY_TRIALS, None, entry | {"code": TOO_MANY_TRIALS})
        retry_s = min(self._deadline_s * 2**trials, MOST_RETRY_S)
        return Postponed(ticket.code, retry_s, trials, ticket.waits, entry | {"code": ticket.code})

    def _entry(self, ticket: Ticket, now: float) -> dict[str, Any]:
        return {"ts": now, **self._origin, "channel": sorted(ticket.channel)}


def _wait(ticket: Ticket) -> Postponed:
    wait_s = min(WAIT_S * 2.0 ** min(ticket.waits, 10), MOST_WAIT_S)
    return Postponed(PENDING_DEPENDENCY, wait_s, ticket.trials, ticket.waits + 1)


def _result(
    ticket: Ticket, full: int, code: int, body: Mapping[str, Any] | None, entry: Mapping[str, Any]
) -> FeatureChange:
    # What was asked for from more points than there are now would be asked for for ever.
    full = max(full, ticket.due)
    return FeatureChange(
        key=ticket.key, channel=(), tag=(), jd=ticket.jd, full=full, code=code, body=body, meta={**entry, "full": full}
    )


def _is_there(case: Case, results: Sequence[Result], position: int) -> bool:
    job = case.jobs[position]
    return job.known is not None or job.failed or isinstance(results[position], Measurement)


def _told(error: str | None) -> dict[str, str]:
    """Return an error as a document can hold it: a traceback may quote anything."""
    return {} if error is None else {"error": error[-MOST_TRACEBACK:].encode(errors="backslashreplace").decode()}
