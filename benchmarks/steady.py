"""The rate of a run in its middle, where neither the start nor the emptying of the pipes bends it."""

from collections.abc import Sequence

FIRST, LAST = 0.1, 0.9


def steady_rate(progress: Sequence[tuple[float, int]]) -> float:
    """Return alerts per second between the first and the last tenth of a run.

    Parameters
    ----------
    progress
        Times [s] in rising order, each with the number of alerts done by then.
    """
    total = progress[-1][1]
    begin = next(at for at in progress if at[1] >= FIRST * total)
    end = next(at for at in progress if at[1] >= LAST * total and at[0] > begin[0])
    return (end[1] - begin[1]) / (end[0] - begin[0])
