"""What came of running a channel on some alerts: the accepted, the funnel, the time, the errors, the difference."""

from collections import Counter

import msgspec

from ampeld.flow.verdict import ACCEPT_CUT, ERRORED, GROUP, OBJECT_CUT, REJECTION, SKIPPED, cut_name
from ampeld.testing.judging import Refused


class AcceptedAlert(msgspec.Struct, frozen=True):
    """An alert that the filter takes; ``group`` is None where it named none."""

    object: str
    candid: int
    group: int | None
    jd: float


class ChannelError(msgspec.Struct, frozen=True):
    """An alert on which the filter's own code failed."""

    object: str
    candid: int
    error: str
    traceback: str


class CutCount(msgspec.Struct, frozen=True):
    """How many alerts a cut rejects.

    ``rejected``: those that passed all cuts before it; ``alone``: all that it would reject if it were the only one,
    None for ``accept``, which is asked of survivors only.
    """

    rejected: int
    alone: int | None


class Changed(msgspec.Struct, frozen=True):
    """An object that only one of two channels accepts: one of its alerts, and the other one's cut that rejected it."""

    object: str
    candid: int
    cut: str


class Difference(msgspec.Struct, frozen=True):
    """The objects that a channel accepts and another one does not, and the reverse."""

    other: str
    version: str
    added: list[Changed]
    removed: list[Changed]

    def __str__(self) -> str:
        return f"+{len(self.added)} −{len(self.removed)}"  # noqa: RUF001  a minus sign, as the page shows it


class Tally:
    """What one channel said, batch by batch.

    Parameters
    ----------
    kept_errors
        How many errors are kept whole; all are counted.
    """

    def __init__(self, *, kept_errors: int = 20) -> None:
        self.accepted: list[AcceptedAlert] = []
        self.errors: list[ChannelError] = []
        self.codes: Counter[int] = Counter()
        self.alone: Counter[str] = Counter()
        self.seconds = 0.0
        self._kept_errors = kept_errors

    def keep_error(self, error: ChannelError) -> None:
        """Keep an error while there are few."""
        if len(self.errors) < self._kept_errors:
            self.errors.append(error)


class ChannelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a channel."""

    channel: str
    version: str
    contact: str
    seen: int
    """Alerts that the filter was asked about."""
    skipped: int
    """Alerts that the channel may not see."""
    accepted: list[AcceptedAlert]
    cuts: dict[str, CutCount]
    """In the order of the cuts; last ``accept``, where the filter has one."""
    codes: dict[int, int]
    """By rejection code of ``accept``: how many."""
    errored: int
    errors: list[ChannelError]
    us_per_alert: float
    """Time of the filter [us] by alerts seen; reading and decoding are not in it."""

    @property
    def objects(self) -> list[str]:
        """Return the accepted objects in the order of their first accepted alerts."""
        return list(dict.fromkeys(alert.object for alert in self.accepted))

    @property
    def pass_fraction(self) -> float:
        """Return accepted alerts by alerts seen, 0 where none was seen."""
        return len(self.accepted) / self.seen if self.seen else 0.0


def group_of(code: int) -> int | None:
    """Return the group that an accepting code names, None where it names none."""
    return code - GROUP if GROUP <= code < REJECTION else None


def summarize(tally: Tally, names: list[str], *, channel: str, version: str, contact: str) -> ChannelResult:
    """Return what came of a channel whose cuts have these names, by number."""
    rejected = Counter[str]()
    for code, number in tally.codes.items():
        if (cut := cut_name(code, names)) is not None:
            rejected[cut] += number
    first = [OBJECT_CUT] if OBJECT_CUT in tally.alone else []
    ordered = [
        *dict.fromkeys([*first, *tally.alone]),
        *(name for name in names if name not in tally.alone and name != ACCEPT_CUT),
    ]
    cuts = {name: CutCount(rejected[name], tally.alone[name]) for name in ordered}
    if ACCEPT_CUT in names:
        cuts[ACCEPT_CUT] = CutCount(rejected[ACCEPT_CUT], None)
    seen = tally.codes.total() - tally.codes[SKIPPED]
    return ChannelResult(
        channel=channel,
        version=version,
        contact=contact,
        seen=seen,
        skipped=tally.codes[SKIPPED],
        accepted=tally.accepted,
        cuts=cuts,
        codes={code - REJECTION: n for code, n in sorted(tally.codes.items()) if code >= REJECTION},
        errored=tally.codes[ERRORED],
        errors=tally.errors,
        us_per_alert=tally.seconds / seen * 1e6 if seen else 0.0,
    )


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    result: ChannelResult
    difference: Difference | None
    refused: int
    """Records that are no alerts."""
    refusals: list[Refused]
    """The first of them."""
    damage: str | None
    """What could not be read to its end."""
