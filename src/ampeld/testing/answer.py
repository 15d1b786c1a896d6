"""Why a channel took an alert or dropped it: from sources at hand, or from what the daemons kept."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from ampeld.channel.channel import Channel
from ampeld.channel.explain import CutReason, Explanation
from ampeld.daemon.settings import Settings
from ampeld.flow.verdict import SKIPPED, cut_name, describe
from ampeld.testing.find import Found, Wanted, explain_row, find_alerts
from ampeld.testing.judging import Reader
from ampeld.testing.recall import Recalled, recall
from ampeld.testing.sources import AlertSource


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict that a daemon gave."""

    verdict: str
    version: str
    """The channel's version that judged."""
    differs: bool
    """Whether the channel's version is another one now."""
    written: str
    outcome: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an alert."""

    channel: str
    object: str
    candid: int
    verdict: str
    """That of the daemon, where it is known, else that of the channel as it is now."""
    cuts: tuple[CutReason, ...]
    """As the channel is now; only the one that the code names where the alert cannot be had."""
    version: str
    coordinates: str
    jd: float | None
    then: Then | None = None
    gone: str | None = None
    """Why the alert itself cannot be had."""
    error: str | None = None
    """The traceback, where the filter's own code fails."""


async def answer_from(
    channel: Channel, sources: Sequence[AlertSource], wanted: Wanted, settings: Settings, *, told: Callable[[int], None]
) -> list[Answer]:
    """Return what a channel says of the alerts in these sources that are wanted, by jd; each record once."""
    found: dict[tuple[int, str], Answer] = {}
    async for one in find_alerts(channel, sources, wanted, settings, told=told):
        found.setdefault((one.candid, one.object), _now(channel, one))
    return sorted(found.values(), key=lambda one: one.jd or 0.0)


async def answer_recalled(
    channel: Channel, wanted: Wanted, settings: Settings, *, told: Callable[[date], None]
) -> list[Answer]:
    """Return what the daemons said of the alerts that are wanted, and why, the newest last."""
    recalled = await recall(settings, channel.name, wanted, told=told)
    reader = Reader(settings, [channel])
    answers = [await _recalled(channel, reader, one) for one in recalled]
    return sorted(answers, key=lambda one: one.jd or 0.0)


async def _recalled(channel: Channel, reader: Reader, recalled: Recalled) -> Answer:
    verdict = recalled.verdict
    said = _words(verdict.code, verdict.cuts)
    then = Then(
        verdict=said,
        version=verdict.version,
        differs=verdict.version != channel.version,
        written=verdict.written.isoformat(timespec="seconds"),
        outcome=verdict.outcome.name.lower(),
    )
    gone = recalled.gone
    if recalled.record is not None and gone is None:
        await reader.prepare([recalled.record])
        read = reader.read([recalled.record])
        if len(read.table) == 1 and int(read.table.candid[0]) == verdict.candid:
            now = _now(channel, explain_row(channel, read, 0))
            return msgspec.structs.replace(now, verdict=said, then=then)
        gone = (
            f"what lies there now cannot be read: {read.refused[0].reason}"
            if read.refused
            else "another alert is there"
        )
    return Answer(
        channel=channel.name,
        object=recalled.object,
        candid=verdict.candid,
        verdict=said,
        cuts=_coded(verdict.code, verdict.cuts),
        version=channel.version,
        coordinates=str(verdict.coordinates),
        jd=None,
        then=then,
        gone=gone,
    )


def _now(channel: Channel, found: Found) -> Answer:
    explanation = found.explanation
    return Answer(
        channel=channel.name,
        object=found.object,
        candid=found.candid,
        verdict=describe(SKIPPED, []) if explanation is None else explanation.verdict,
        cuts=() if explanation is None else explanation.cuts,
        version=channel.version,
        coordinates=str(found.coordinates),
        jd=found.jd,
        error=_traceback(explanation),
    )


def _traceback(explanation: Explanation | None) -> str | None:
    return None if explanation is None or explanation.failure is None else explanation.failure.traceback


def _coded(code: int, names: Sequence[str]) -> tuple[CutReason, ...]:
    """Return the one cut that a code names; its value is not kept."""
    name = cut_name(code, list(names)) if code else None
    if name is None:
        return ()
    text = "the value is not kept"
    return (CutReason(name=name, passed=False, value=None, operator="", limit=None, text=text),)


def _words(code: int, names: Sequence[str]) -> str:
    try:
        return describe(code, list(names))
    except IndexError:
        return f"code {code:#x}, which means nothing here"


def answer_document(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the JSON document: the newest alert, and in ``alerts`` all that were found, by jd."""
    every = [_document(answer) for answer in answers]
    return {**every[-1], "alerts": every}


def _document(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(answer, enc_hook=str)
    return {key: value for key, value in document.items() if value is not None or key not in {"then", "gone", "error"}}
