"""Astropy without the network wherever units measure: no value may depend on a server's answer, nor wait for one."""

import sys


def keep_offline() -> None:
    """Have astropy turn the Earth and count leap seconds by the tables that are installed with it, if it is loaded.

    Of times beyond these tables it warns, and is off by less than a second.
    """
    if "astropy" not in sys.modules:
        return  # to load it takes longer than most units measure in a night
    from astropy.utils import data, iers  # noqa: PLC0415  as above

    data.conf.allow_internet = False
    iers.conf.auto_download = False
    iers.conf.auto_max_age = None
    iers.conf.iers_degraded_accuracy = "warn"
