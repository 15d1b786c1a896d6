"""Astropy's sky without the network: the Earth's orientation from the tables that are installed with it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def without_downloads() -> Iterator[None]:
    """Have astropy download nothing and complain of nothing while the block runs: neither tables nor leap seconds."""
    from astropy.utils import iers  # noqa: PLC0415  seconds to import, for those who ask about the sky

    with warnings.catch_warnings(), iers.conf.set_temp("auto_download", False):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def offline() -> Iterator[None]:
    """Have astropy turn the sky by the tables that are installed with it, while the block runs.

    Beyond them (a year ahead of their release) times are off by less than a second, which moves the sky by seconds of
    arc: no observer's night depends on it.
    """
    from astropy.utils import iers  # noqa: PLC0415  as above

    with (
        without_downloads(),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
        iers.earth_orientation_table.set(_orientation()),
    ):
        yield


@cache
def _orientation() -> Any:
    from astropy.utils import iers  # noqa: PLC0415  as above
    from astropy_iers_data import IERS_A_FILE  # type: ignore[import-untyped]  # noqa: PLC0415  as above

    return iers.IERS_A.open(IERS_A_FILE)
