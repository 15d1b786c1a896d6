"""What a worker answers is believed only after a look: a filter may have written into the worker's memory."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ampeld.channel.cutnames import CutNames
from ampeld.channel.judge import MAX_ERROR, MAX_NAME, MAX_TRACEBACK
from ampeld.daemon.isolation.messages import Answer, Result
from ampeld.errors import ChannelCodeError
from ampeld.flow.verdict import ACCEPTED, CUT, ERRORED, GROUP, MAX_CUT, REJECTION, SKIPPED

Codes = NDArray[np.uint16]

# A look-up for each verdict costs a nanosecond, comparisons ten; there are as many as channels times alerts.
_SAID: Final = np.zeros(1 << 16, dtype=np.bool_)
_SAID[[ACCEPTED, ERRORED]] = True
_SAID[CUT : CUT + MAX_CUT + 1] = True
_SAID[GROUP + 1 :] = True
_SAID[REJECTION] = False
_CUT_NUMBER: Final = np.full(1 << 16, -1, dtype=np.int16)
_CUT_NUMBER[CUT : CUT + MAX_CUT + 1] = np.arange(MAX_CUT + 1)


class NonsenseAnswerError(ValueError):
    """An answer that cannot be one of ours, and does not even say whose fault it is."""


class NumberedCuts:
    """The cut numbers of one worker's channel, and those that this process has for the same names."""

    def __init__(self, ours: CutNames) -> None:
        self._ours = ours
        self._numbers: list[int] = []
        self.alike = True
        """Whether they are the same."""

    def __len__(self) -> int:
        return len(self._numbers)

    def learn(self, names: Sequence[str]) -> None:
        """Add the names that the worker has told of; raise ValueError for what is none."""
        for name in names:
            if not (0 < len(name) <= MAX_NAME and name.isprintable()):
                raise ValueError(f"{name[:MAX_NAME]!r} is no name for a cut")
            try:
                number = self._ours.number(name)
            except ChannelCodeError as error:
                raise ValueError(str(error)) from error
            self.alike &= number == len(self._numbers)
            self._numbers.append(number)

    def translate(self, codes: Codes) -> Codes:
        """Return codes with our numbers."""
        numbers = _CUT_NUMBER[codes]
        cuts = numbers >= 0
        codes = codes.copy()
        codes[cuts] = CUT + np.array(self._numbers, dtype=np.uint16)[numbers[cuts]]
        return codes


class Believed(msgspec.Struct, frozen=True, eq=False):
    """What is left of an answer."""

    codes: Codes
    """Shape (channels asked, alerts), with this process's cut numbers; `SKIPPED` where a channel was not asked."""
    doubted: dict[int, str]
    """By place among the channels asked: why its part of the answer is no verdict on these alerts."""


def believe(answer: Answer, asked: Sequence[int], seen: NDArray[np.bool_], cuts: Sequence[NumberedCuts]) -> Believed:
    """Return the verdicts of an answer that can be true.

    Parameters
    ----------
    answer
        What the worker says.
    asked
        The channels that it was asked for.
    seen : shape (channels asked, alerts), bool
        Which alerts each of them was asked about.
    cuts
        The worker's cut names of each channel asked; those that the answer tells of are added.

    Raises
    ------
    NonsenseAnswerError
        If it does not even have the shape of an answer to this.
    """
    if len(answer.codes) != 2 * seen.size or [result.channel for result in answer.results] != list(asked):
        raise NonsenseAnswerError(f"{len(answer.codes)} bytes of verdicts, {seen.size} verdicts asked for")
    said = np.frombuffer(answer.codes, dtype="<u2").reshape(seen.shape)
    codes = np.where(seen, said, SKIPPED)
    doubted = _strange(said, seen)
    for place, (result, names) in enumerate(zip(answer.results, cuts, strict=True)):
        try:
            _learn(result, names, answer.texts)
        except ValueError as error:
            doubted.setdefault(place, str(error))
    unnamed = _CUT_NUMBER[codes].max(axis=1, initial=-1) >= [len(names) for names in cuts]
    doubted |= dict.fromkeys(np.flatnonzero(unnamed).tolist(), "a verdict names a cut that it has not told of")
    errors = (codes == ERRORED).sum(axis=1).tolist()
    for place, (result, names) in enumerate(zip(answer.results, cuts, strict=True)):
        rows = [failed.row for failed in result.failures]
        if errors[place] != len(rows) or (rows and rows != np.flatnonzero(codes[place] == ERRORED).tolist()):
            doubted.setdefault(place, "its errors do not belong to its verdicts")
        elif not names.alike and place not in doubted:
            codes[place] = names.translate(codes[place])
    return Believed(codes, doubted)


def _strange(said: Codes, seen: NDArray[np.bool_]) -> dict[int, str]:
    """Return the places of channels with verdicts that no filter can give."""
    strange = ~_SAID[said] & seen
    if not strange.any():
        return {}
    places = np.flatnonzero(strange.any(axis=1)).tolist()
    return {place: f"{int(said[place][strange[place]][0])} is no verdict of a filter" for place in places}


def _learn(result: Result, names: NumberedCuts, texts: Sequence[str]) -> None:
    """Take over new cut names, and look at the errors; raise ValueError for what is neither."""
    if result.cuts:
        names.learn(result.cuts)
    for failed in result.failures:
        if not 0 <= failed.text < len(texts):
            raise ValueError("an error without a traceback")
        if len(failed.error) > MAX_ERROR or len(texts[failed.text]) > MAX_TRACEBACK:
            raise ValueError("an error that is too long to be one of ours")
