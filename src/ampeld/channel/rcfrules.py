"""What `RcfFilter` takes for a star, an artefact or a variable: rules from the experience of ZTF's scanners.

A rule holds where it is surely true: a value that is missing, or is negative because the survey writes -999 where it
found nothing, speaks for none of them. The numbers are those of AMPEL's code, which its comments do not always match.
"""

from typing import Final

import numpy as np

from ampeld.channel.column import Column
from ampeld.channel.columns import Columns
from ampeld.channel.condition import Condition
from ampeld.channel.ragged import RaggedCondition
from ampeld.channel.sharing import shared

_NONE_MAG: Final = 99.0
"""Stands for the magnitude of nothing."""
_FAINTEST_MAG: Final = 30.0


def unless(rule: Condition, name: str, *looked_at: Column) -> Condition:
    """Return where a rule does not hold, or cannot be told to.

    Parameters
    ----------
    rule
        Where it holds.
    name
        What is true where it does not, for explanations; the rule is too long for one.
    *looked_at
        Columns that it looks at, of many the first.
    """
    return Condition(~rule.true, None, name, looked_at, ())


@shared
def star_under(a: Columns) -> Condition:
    """Return where a star of PS1, or something very red, lies beneath."""
    star = (a.sgscore1 > 0.76) & _found(a.distpsnr1, 2.0)
    red = ((a.szmag1 > 0) & (a.srmag1 - a.szmag1 > 3.0)) | ((a.simag1 > 0) & (a.srmag1 - a.simag1 > 3.0))
    return star | ((a.sgscore1 > 0.2) & _found(a.distpsnr1, 1.0) & (a.srmag1 > 0) & red)


@shared
def not_real(a: Columns) -> Condition:
    """Return where the scores are too low, the lower the nearer and the brighter the star beside it."""
    beside = {
        (0.35, 1.0): _found(a.maggaia, 17.0),
        (0.45, 1.5): _found(a.maggaia, 15.5),
    }
    rule = a.rb < 0.2
    for (score, radius), bright in beside.items():
        rule = rule | ((a.rb < score) & _found(a.neargaia, radius) & bright)
    point_like = {
        (0.35, 1.0): _found(a.srmag1, 17.0) | _found(a.simag1, 17.0) | _found(a.szmag1, 16.5),
        (0.45, 1.5): _found(a.srmag1, 15.5) | _found(a.simag1, 15.5) | _found(a.szmag1, 15.0),
    }
    for (score, radius), bright in point_like.items():
        rule = rule | ((a.rb < score) & _found(a.distpsnr1, radius) & (a.sgscore1 > 0.49) & bright)
    old, mag = _age(a) > 90, ps1_magnitude(a)
    for score, radius, limit in ((0.5, 3.0, 16.0), (0.5, 1.1, 18.0), (0.8, 1.5, 15.5), (0.8, 0.8, 17.5)):
        rule = rule | ((a.drb < score) & _found(a.distpsnr1, radius) & (mag < limit) & old)
    return rule


@shared
def bright_star(a: Columns) -> Condition:
    """Return where a bright star within 20 arcsec may have left residuals."""
    rule = _found(a.neargaiabright, 20.0) & _found(a.maggaiabright, 12.0)
    for number in (1, 2, 3):
        near = _found(getattr(a, f"distpsnr{number}"), 20.0) & (getattr(a, f"sgscore{number}") > 0.9)
        for band in "riz":
            rule = rule | (near & _found(getattr(a, f"s{band}mag{number}"), 14.0))
    return rule


def variable_star(a: Columns, max_magpsf: float) -> Condition:
    """Return where an old object lies on something that has been there all the time.

    Parameters
    ----------
    a
        The alerts of a batch.
    max_magpsf
        Detections brighter than this count as bright [mag].
    """
    points, age = a.detections, _age(a)
    bright = (_positive(a) & (points.magpsf < max_magpsf)).count()
    often = ((age > 90) & (bright > 2)) | ((age > 365) & (bright > 1))
    return (often & _on_reference(a)) | _like_a_variable(a)


@shared
def _on_reference(a: Columns) -> Condition:
    beneath = _found(a.magnr, 19.5) & _found(a.distnr, 0.4)
    for limit, radius in ((17.5, 0.8), (15.5, 1.2)):
        beneath = beneath | (_found(a.magnr, limit) & _found(a.distnr, radius))
    return beneath & ~(_at_peak(a) & (a.magpsf < 18.5))


@shared
def _like_a_variable(a: Columns) -> Condition:
    age, mag = _age(a), brightest_ps1_magnitude(a)
    on_gaia = _found(a.neargaia, 0.35) & ((age > 30) & _found(a.maggaia, 17.0))
    on_gaia = on_gaia | (_found(a.neargaia, 0.35) & (age > 300) & _found(a.maggaia, 19.0) & (a.magpsf > 18.5))
    on_gaia = on_gaia | (_found(a.neargaia, 0.2) & (age > 90) & _found(a.maggaia, 18.0))
    on_ps1 = (a.sgscore1 > 0.25) & (a.distpsnr1 < 3) & (mag < 16)
    on_ps1 = on_ps1 | ((a.sgscore1 == 0.5) & (a.distpsnr1 < 0.5) & (mag < 17))
    faded = _found(a.distnr, 0.5) & ~_at_peak(a) & (a.magnr > 0) & (a.magnr < a.magpsf - 1)
    return on_gaia | ((age > 90) & (on_ps1 | faded))


def _found(column: Column, limit: float) -> Condition:
    """Return where something was found, at less than the limit."""
    return (column > 0) & (column < limit)


@shared
def _age(a: Columns) -> Column:
    return a.jd - a.jdstarthist


@shared
def _positive(a: Columns) -> RaggedCondition:
    return a.detections.isdiffpos  # type: ignore[return-value]  # the one field that is a condition


@shared
def _at_peak(a: Columns) -> Condition:
    return a.magpsf == a.detections[_positive(a)].magpsf.min()


@shared
def ps1_magnitude(a: Columns) -> Column:
    """Return the magnitude of the nearest PS1 source in the first band of r, i, g, z that has one; else 99 [mag]."""
    bands = (a.srmag1, a.simag1, a.sgmag1, a.szmag1)
    values = np.full(len(a), _NONE_MAG)
    for column in reversed(bands):
        there = (column > 0) & (column <= _FAINTEST_MAG)
        values = np.where(there.true, column.values, values)
    return Column(values, np.zeros(len(a), dtype=np.bool_), "ps1_magnitude", bands)


@shared
def brightest_ps1_magnitude(a: Columns) -> Column:
    """Return the magnitude of the nearest PS1 source in its brightest band; 99 where r has none, as in AMPEL [mag]."""
    bands = (a.srmag1, a.simag1, a.sgmag1, a.szmag1)
    values = np.where((a.srmag1 > 0).true, a.srmag1.values, _NONE_MAG)
    for column in bands[1:]:
        brighter = (a.srmag1 > 0) & (column > 0)
        values = np.where(brighter.true & (column.values < values), column.values, values)
    return Column(values, np.zeros(len(a), dtype=np.bool_), "brightest_ps1_magnitude", bands)
