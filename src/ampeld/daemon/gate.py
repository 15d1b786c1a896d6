"""Runs a channel over a reference night and says whether it keeps within its limits, and what has changed."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from statistics import median

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.channel.channel import Channel, GateLimits
from ampeld.flow.verdict import ERRORED, SKIPPED, accepts
from ampeld.store.gates import MOST_OBJECTS, GateResult


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel did on a night."""

    night: str
    """Digest of the night's alerts."""
    seen: int
    """Alerts that could be read and that the channel may see."""
    unreadable: int
    accepted: int
    objects: list[str]
    """The accepted objects by name."""
    errors: int
    error: str | None
    """The first one."""
    us_per_alert: float
    """Time of the filter [us], the median over batches; what channels share counts as if this one were alone."""

    @property
    def pass_fraction(self) -> float:
        """Return accepted alerts by alerts seen."""
        return self.accepted / self.seen if self.seen else 0.0


class Difference(msgspec.Struct, frozen=True):
    """What a version accepts that another one does not, and the other way round, by name."""

    gained: list[str]
    lost: list[str]

    def __str__(self) -> str:
        count = len(self.gained) + len(self.lost)
        return f"+{len(self.gained)}, −{len(self.lost)} object{'s' if count != 1 else ''}"  # noqa: RUF001  a minus


class GateRun:
    """The tally of a run over a night, fed batch by batch."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=8)
        self._objects: dict[str, None] = {}
        self._costs: list[float] = []
        self._seen = self._unreadable = self._accepted = self._errors = 0
        self._error: str | None = None

    def feed(
        self,
        payloads: Iterable[bytes],
        objects: Sequence[str],
        codes: NDArray[np.uint16],
        *,
        seconds: float,
        error: str | None,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        payloads
            All its messages, unreadable ones too.
        objects
            The object of each alert.
        codes : shape (len(objects),)
            The channel's verdict on each.
        seconds
            What the filter took.
        error
            What its code failed with, on the first of those on which it did.
        """
        number = 0
        for payload in payloads:
            self._digest.update(len(payload).to_bytes(8, "big") + payload)
            number += 1
        asked = int((codes != SKIPPED).sum())
        self._seen += asked
        self._unreadable += number - len(objects)
        self._errors += int((codes == ERRORED).sum())
        self._error = self._error or error
        took = np.flatnonzero(accepts(codes)).tolist()
        self._accepted += len(took)
        self._objects |= dict.fromkeys(objects[row] for row in took)
        if asked:
            self._costs.append(seconds * 1e6 / asked)

    def measured(self) -> Measured:
        """Return what came of it."""
        return Measured(
            night=self._digest.hexdigest(),
            seen=self._seen,
            unreadable=self._unreadable,
            accepted=self._accepted,
            objects=sorted(self._objects),
            errors=self._errors,
            error=self._error,
            us_per_alert=round(median(self._costs), 2) if self._costs else 0.0,
        )


def broken_limits(measured: Measured, limits: GateLimits) -> list[str]:
    """Return what a channel did not keep within, in words; nothing when it passes."""
    found = []
    if not measured.seen:
        found.append("the reference night has no alert that this channel may see")
    if measured.errors:
        found.append(f"its code failed on {measured.errors} of {measured.seen} alerts: {measured.error}")
    most = limits.max_pass_fraction
    if most is not None and measured.pass_fraction > most:
        found.append(
            f"it accepts {measured.accepted} of {measured.seen} alerts, {measured.pass_fraction:.4g} of them: "
            f"above gate.max_pass_fraction = {most:g}"
        )
    slowest = limits.max_us_per_alert
    if slowest is not None and measured.us_per_alert > slowest:
        found.append(f"it takes {measured.us_per_alert:g} µs per alert: above gate.max_us_per_alert = {slowest:g}")
    return found


def compare(now: Collection[str], former: Collection[str]) -> Difference:
    """Return what the one accepts and the other does not."""
    return Difference(sorted(set(now) - set(former)), sorted(set(former) - set(now)))


def object_digest(objects: Sequence[str]) -> str:
    """Return 16 hexadecimal digits of a set of names."""
    return hashlib.sha256("\n".join(sorted(objects)).encode()).hexdigest()[:16]


def result_of(channel: Channel, measured: Measured, *, source: str, reason: str | None, **origin: object) -> GateResult:
    """Return what is kept of a run of the gate.

    Parameters
    ----------
    channel, measured
        Which channel, and what it did.
    source
        The night in words.
    reason
        Why its limits are to be ignored; None when they count.
    **origin
        ``when``, ``run`` and ``host``.
    """
    why = broken_limits(measured, channel.limits)
    limits = {name: getattr(channel.limits, name) for name in ("max_pass_fraction", "max_us_per_alert")}
    return msgspec.convert(
        {
            "channel": channel.name,
            "version": channel.version,
            "night": measured.night,
            "source": source,
            "seen": measured.seen,
            "accepted": measured.accepted,
            "errors": measured.errors,
            "objects": measured.objects[:MOST_OBJECTS],
            "n_objects": len(measured.objects),
            "digest": object_digest(measured.objects),
            "pass_fraction": measured.pass_fraction,
            "us_per_alert": measured.us_per_alert,
            "limits": limits,
            "passed": not why,
            "why": why,
            "forced": reason is not None and bool(why),
            "reason": reason if why else None,
            **origin,
        },
        GateResult,
    )
