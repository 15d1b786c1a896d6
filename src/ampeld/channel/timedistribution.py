"""Transients whose detections lie together in time, single early and late ones aside."""

from typing import Any

import numpy as np

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns
from ampeld.channel.decent import DecentFilter
from ampeld.channel.filter import Cuts
from ampeld.channel.ragged import RaggedColumn, RaggedCondition

_MAD_TO_SIGMA = 1.48


class TimeDistributionFilter(DecentFilter):
    """AMPEL's TimeDistributionFilter: decent, and detected for some days but not for ever.

    The nights (integer parts of the Julian dates) of significant positive detections are taken once each; those
    further from their median than ``jd_rej_sigma`` times 1.48 times the median absolute deviation are left out, until
    no more are. What is left must last neither too short nor too long.

    Notes
    -----
    Corrected: AMPEL's goes on with what DecentFilter has rejected, and fails where ``magfromlim`` is missing; here
    such a detection is not significant. As there, a single night has no deviation, is left out, and lasts 0 days.
    """

    min_magfromlim: float = 0.1  # a detection is significant this much above the limit, in an aperture [mag]
    jd_rej_sigma: float = 5.0  # nights further from the median than this are left out [sigma]
    min_masked_duration: float = 5.0  # between first and last night that are left [d]
    max_masked_duration: float = 360.0  # [d]

    def cuts(self, a: Columns) -> Cuts:
        """Yield DecentFilter's cuts, then the duration."""
        yield from super().cuts(a)
        points = a.detections
        positive: Any = points.isdiffpos
        significant = positive & (points.magfromlim >= self.min_magfromlim)
        duration = clipped_duration(points.jd[significant], self.jd_rej_sigma)
        yield "duration", duration.between(self.min_masked_duration, self.max_masked_duration)


def clipped_duration(jd: RaggedColumn, sigma: float) -> Column:
    """Return the time between the first and the last night of each list once outliers are left out [d].

    Parameters
    ----------
    jd
        Julian dates, ascending in each list [d].
    sigma
        Nights at or beyond this many deviations from the median are outliers.
    """
    nights = _nights(jd)
    kept = nights.present
    while True:
        left = nights[kept]
        middle = left.median()
        near = abs(nights - middle) < abs(left - middle).median() * (_MAD_TO_SIGMA * sigma)
        fewer = near.count() < left.count()
        if not fewer.true.any():
            span = left.span()
            duration = np.where(span.missing.true, 0.0, span.values)
            return Column(duration, np.zeros(len(duration), dtype=np.bool_), "duration", (jd,))
        kept = (near & fewer) | (kept & ~fewer)


def _nights(jd: RaggedColumn) -> RaggedColumn:
    """Return the integer part of each date, once for each night."""
    days = RaggedColumn(np.floor(jd.values), jd.missing.true, jd.offsets)
    first = np.ones(len(days.values), dtype=np.bool_)
    first[1:] = days.values[1:] != days.values[:-1]
    starts = days.offsets[:-1]
    first[starts[starts < len(first)]] = True
    return days[RaggedCondition(first, ~first, "first of its night", offsets=days.offsets)]
