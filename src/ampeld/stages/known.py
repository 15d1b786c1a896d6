"""Follow known objects: a channel with ``on_known`` keeps an object that its own filter accepted at an earlier jd."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ampeld.channel.channel import Channel
from ampeld.flow.verdict import BYPASSED, OVERRULED, SKIPPED, accepts, is_accepted, is_rejected
from ampeld.stages.values import Judged


def stocks_to_ask(batches: Sequence[Judged]) -> set[int]:
    """Return the objects for which it matters whether a channel knows them."""
    stocks: set[int] = set()
    for judged in batches:
        for index, channel in enumerate(judged.channels):
            if channel.on_known != "off":
                stocks.update(judged.decoded.table.stock[judged.codes[index] != 0].tolist())
    return stocks


def follow_known(batches: Sequence[Judged], known: Mapping[int, Mapping[str, float]]) -> list[Judged]:
    """Return the batches with the verdicts on known objects changed as each channel wishes.

    The same channels judged them all; ``known`` is what `Store.find_known` returned of their objects.

    ``bypass`` accepts without asking the filter, whatever it would have said or done;
    ``overrule`` accepts what the filter rejected.
    An acceptance by the filter earlier in these batches counts as much as one in the store.
    """
    channels = batches[0].channels if batches else ()
    if all(channel.on_known == "off" for channel in channels):
        return list(batches)
    followed = [
        Judged(judged.decoded, channels, judged.codes.copy(), [list(failures) for failures in judged.failures])
        for judged in batches
    ]
    for index, channel in enumerate(channels):
        if channel.on_known != "off":
            since = {stock: of[channel.name] for stock, of in known.items() if channel.name in of}
            for judged in followed:
                _follow(channel, judged, index, since)
    return followed


def _follow(channel: Channel, judged: Judged, index: int, since: dict[int, float]) -> None:
    table = judged.decoded.table
    codes = judged.codes[index]
    failures = judged.failures[index]
    for row in _concerned(table.stock, codes, since):
        stock, jd, code = int(table.stock[row]), float(table.jd[row]), int(codes[row])
        known = since.get(stock, np.inf) < jd
        if is_accepted(code):
            since[stock] = min(jd, since.get(stock, np.inf))
        if not known:
            continue
        if channel.on_known == "bypass" and code != SKIPPED:
            codes[row] = BYPASSED
            if failures:
                failures[row] = None
        elif channel.on_known == "overrule" and is_rejected(code):
            codes[row] = OVERRULED


def _concerned(stocks: NDArray[np.int64], codes: NDArray[np.uint16], since: Mapping[int, float]) -> list[int]:
    """Return the rows of objects that are known or become so in this batch."""
    known = np.union1d(np.fromiter(since, np.int64, len(since)), stocks[accepts(codes)])
    return np.flatnonzero(np.isin(stocks, known)).tolist()
