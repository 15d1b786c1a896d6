"""Light curves for property tests: of any length and any awkwardness, and what may be done to them."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from ampeld.alert.lsst_shape import jd_of
from ampeld.feature import LightCurve

Point = tuple[int, float, Mapping[str, Any]]
"""(id, jd, body), as light curves are made of."""

NIGHT = 2458300.5
"""[JD]."""
_MJD = 60900.25


def ztf_detection(number: int, jd: float, mag: float = 19.0, **given: Any) -> Point:
    """Return a detection; what is not given is as it is usually."""
    usual = {"jd": jd, "fid": 1, "rcid": 7, "programid": 1, "magpsf": mag, "sigmapsf": 0.1, "diffmaglim": 20.5}
    usual |= {"isdiffpos": "t", "ra": 150.0, "dec": 2.0, "rb": 0.9, "drb": 0.99}
    return number, jd, usual | given


def ztf_limit(number: int, jd: float, limit: float = 20.5, **given: Any) -> Point:
    """Return an upper limit; its number is made negative."""
    return -abs(number), jd, {"jd": jd, "fid": 1, "rcid": 7, "programid": 1, "diffmaglim": limit} | given


def lsst_source(number: int, mjd: float, flux: float = 1000.0, **given: Any) -> Point:
    """Return a detection of LSST [MJD TAI, nJy]."""
    body = {"diaSourceId": number, "midpointMjdTai": mjd, "band": "r", "psfFlux": flux, "psfFluxErr": 50.0}
    body |= {"ra": 150.0, "dec": 2.0, "reliability": 0.9, "snr": flux / 50.0}
    return number, jd_of(mjd), body | given


def lsst_forced(number: int, mjd: float, flux: float = 25.0, **given: Any) -> Point:
    """Return forced photometry of LSST."""
    body = {"diaForcedSourceId": number, "midpointMjdTai": mjd, "band": "r", "psfFlux": flux, "psfFluxErr": 50.0}
    return number, jd_of(mjd), body | {"ra": 150.0, "dec": 2.0} | given


def ztf(*points: Point) -> LightCurve:
    """Return a light curve of ZTF."""
    return LightCurve("ztf", points)


def lsst(*points: Point) -> LightCurve:
    """Return a light curve of LSST."""
    return LightCurve("lsst", points)


_BYTES = 20


class _Digits:
    """Small choices out of one large number: a point is one draw, which makes a curve in a millisecond."""

    def __init__(self, drawn: bytes) -> None:
        self._rest = int.from_bytes(drawn, "big")

    def below(self, count: int) -> int:
        """Return a number from 0; zeros, which examples shrink to, are what is plain."""
        self._rest, digit = divmod(self._rest, count)
        return digit

    def between(self, low: float, high: float) -> float:
        """Return a number of four decimals."""
        return round(low + self.below(round((high - low) * 10_000) + 1) / 10_000, 4)

    def usually(self, value: float, low: float, high: float) -> float:
        """Return one value in a quarter of the cases, so that equal ones happen."""
        other = self.between(low, high)
        return value if self.below(4) == 0 else other


def _time(digits: _Digits) -> float:
    half_day, fine = digits.below(81), digits.between(0, 60)
    return NIGHT + (half_day / 2 if digits.below(2) == 0 else fine)


def _ztf_body(digits: _Digits, jd: float, *, awkward: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"jd": jd, "fid": 1 + digits.below(3), "rcid": digits.below(64), "programid": 1}
    if digits.below(4) == 3:
        return body | {"diffmaglim": digits.between(16, 21.5)}
    fields: dict[str, Any] = {
        "sigmapsf": digits.usually(0.1, 0.005, 0.4),
        "diffmaglim": digits.between(16, 21.5),
        "isdiffpos": ("t", "t", "1", "f", "0")[digits.below(5)],
        "ra": digits.between(0, 0.01) + (0, 359.99)[digits.below(2)],
        "dec": digits.between(-1, 1) + (0, 89)[digits.below(2)],
        "rb": digits.below(101) / 100,
        "drb": digits.below(101) / 100,
    }
    odd, which = digits.below(12), list(fields)[digits.below(len(fields))]
    if awkward and odd == 9:
        del fields[which]
    elif awkward and odd == 10:
        fields[which] = None
    elif awkward and odd == 11:
        fields["sigmapsf"] = (0.0, None, 1e-9)[digits.below(3)]
    return body | {"magpsf": digits.usually(19.0, 12, 22)} | fields


def _lsst_body(digits: _Digits, jd: float, *, awkward: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"midpointMjdTai": _MJD + jd - NIGHT, "band": "ugrizy"[digits.below(6)]}
    odd = digits.below(24) if awkward else 0
    if odd == 23:
        return body | {"ccdVisitId": 7, "diaNoise": digits.between(1, 100)}
    body |= {"psfFlux": digits.between(0, 1e5), "psfFluxErr": digits.usually(50.0, 1, 500), "ra": 359.999, "dec": -2.0}
    if digits.below(3) == 2:
        body["psfFlux"] *= -1
    if odd > 19:
        body |= ({"psfFlux": None}, {"psfFluxErr": None}, {"psfFluxErr": 0.0})[odd - 20]
    if digits.below(2):
        return body | {"diaForcedSourceId": 1}
    return body | {"diaSourceId": 1, "reliability": (0.9, None, 0.1)[digits.below(3)], "snr": 7.0}


def curve_points(
    survey: str = "ztf", *, max_size: int = 25, awkward: bool = True
) -> st.SearchStrategy[Sequence[Point]]:
    """Return the points of a light curve in the order of their numbers.

    None to many; equal times, bands and magnitudes happen; so do limits alone and negative subtractions.
    ``awkward``: also errors of zero, and fields that are null or missing.
    """
    make = _ztf_body if survey == "ztf" else _lsst_body

    def build(drawn: list[bytes]) -> Sequence[Point]:
        points = []
        for number, code in enumerate(drawn, start=1):
            digits = _Digits(code)
            jd = _time(digits)
            body = make(digits, jd, awkward=awkward)
            points.append((-number if survey == "ztf" and "magpsf" not in body else number, jd, body))
        return points

    code = st.binary(min_size=_BYTES, max_size=_BYTES)
    # Left alone, lists are five long on average.
    several = st.lists(code, max_size=max_size) | st.lists(code, min_size=max_size // 2, max_size=max_size)
    return several.map(build)


def light_curves(
    survey: str | None = None, *, max_size: int = 25, awkward: bool = True
) -> st.SearchStrategy[LightCurve]:
    """Return light curves: of either survey, or of one; see `curve_points`."""

    def of(name: str) -> st.SearchStrategy[LightCurve]:
        points = curve_points(name, max_size=max_size, awkward=awkward)
        return points.map(lambda found: LightCurve(name, found))

    return of(survey) if survey else st.one_of(of("ztf"), of("lsst"))


def points_of(curve: LightCurve) -> list[Point]:
    """Return the points that a light curve is made of."""
    return list(zip(curve.id.tolist(), curve.jd.tolist(), curve.bodies, strict=True))


def shuffled(curve: LightCurve, seed: int) -> LightCurve:
    """Return the light curve of the same points, given in another order."""
    points = points_of(curve)
    random.Random(seed).shuffle(points)
    return LightCurve(curve.survey, points)


def shifted(curve: LightCurve, days: float) -> LightCurve:
    """Return the light curve some days later; whole days keep the differences of times exact."""
    time = "midpointMjdTai" if curve.survey == "lsst" else "jd"
    return LightCurve(
        curve.survey, [(n, jd + days, {**body, time: body[time] + days}) for n, jd, body in points_of(curve)]
    )


def dimmed(curve: LightCurve, magnitudes: float) -> LightCurve:
    """Return the light curve with all magnitudes larger by this, limits too; of LSST with smaller fluxes."""
    factor = 10 ** (-0.4 * magnitudes)
    added, scaled = ("magpsf", "diffmaglim"), ("psfFlux", "psfFluxErr", "diaNoise")

    def change(body: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(body)
        values |= {key: values[key] + magnitudes for key in added if values.get(key) is not None}
        return values | {key: values[key] * factor for key in scaled if values.get(key) is not None}

    return LightCurve(curve.survey, [(n, jd, change(body)) for n, jd, body in points_of(curve)])


def rebanded(curve: LightCurve, names: Mapping[Any, Any]) -> LightCurve:
    """Return the light curve with its bands renamed: ``{1: 2, 2: 1}`` for ZTF's fid, ``{"g": "r"}`` for LSST."""
    key = "band" if curve.survey == "lsst" else "fid"
    return LightCurve(
        curve.survey,
        [(n, jd, {**body, key: names.get(body[key], body[key])}) for n, jd, body in points_of(curve)],
    )


def long_curve(size: int = 1000) -> LightCurve:
    """Return a supernova of a thousand points in two bands, with limits before it."""
    chance = random.Random(5)
    points: list[Point] = []
    for number in range(1, size + 1):
        jd = NIGHT + number * 0.11
        phase = (jd - NIGHT) / (0.11 * size)
        if phase < 0.1:
            points.append(ztf_limit(number, jd, 20 + chance.random(), fid=1 + number % 2))
        else:
            mag = 17 + 12 * (phase - 0.35) ** 2 + chance.gauss(0, 0.05)
            points.append(ztf_detection(number, jd, mag, fid=1 + number % 2, sigmapsf=0.05))
    return ztf(*points)


AWKWARD = {
    "empty": ztf(),
    "one point": ztf(ztf_detection(1, NIGHT)),
    "one negative point": ztf(ztf_detection(1, NIGHT, isdiffpos="f")),
    "limits alone": ztf(*(ztf_limit(n, NIGHT + n) for n in range(1, 8))),
    "equal times": ztf(*(ztf_detection(n, NIGHT, 19 + n / 10, rcid=n) for n in range(1, 8))),
    "equal magnitudes": ztf(*(ztf_detection(n, NIGHT + n) for n in range(1, 8))),
    "negative alone": ztf(*(ztf_detection(n, NIGHT + n, 19 + n / 10, isdiffpos="0") for n in range(1, 8))),
    "errors of zero": ztf(*(ztf_detection(n, NIGHT + n, 19 + n / 10, sigmapsf=0.0) for n in range(1, 8))),
    "no errors": ztf(*(ztf_detection(n, NIGHT + n, 19 + n / 10, sigmapsf=None) for n in range(1, 8))),
    "no fields": ztf(*((n, NIGHT + n, {"magpsf": 19.0}) for n in range(1, 8))),
    "null fields": ztf(
        *((n, NIGHT + n, dict.fromkeys(ztf_detection(n, NIGHT)[2]) | {"magpsf": 18.0 + n}) for n in range(1, 8))
    ),
    "absurd numbers": ztf(
        *(ztf_detection(n, NIGHT + n, mag, sigmapsf=1e300) for n, mag in enumerate((19.0, -700.0, -1e5, 1e5, 1e300))),
        *(ztf_detection(n, NIGHT + n, mag) for n, mag in ((6, 19.0), (7, -700.0), (8, -1e5), (9, 1e5), (10, 18.0))),
        *(ztf_limit(n, NIGHT + n, limit) for n, limit in ((11, -700.0), (12, -1e5), (13, 1e5))),
    ),
    "a thousand points": long_curve(),
    "lsst forced alone": lsst(*(lsst_forced(n, _MJD + n, 25.0 - 10 * n) for n in range(1, 8))),
    "lsst null fluxes": lsst(*(lsst_source(n, _MJD + n, psfFlux=None, psfFluxErr=None) for n in range(1, 8))),
    "lsst absurd numbers": lsst(
        *(lsst_source(n, _MJD + n, flux, psfFluxErr=1e300) for n, flux in enumerate((1e3, -1e300, 1e-300, 1e300))),
        *(lsst_source(n, _MJD + n, flux) for n, flux in ((6, 1e300), (7, 1e3), (8, -1e300), (9, 1e-300), (10, 1e4))),
    ),
    "lsst negative": lsst(*(lsst_source(n, _MJD + n, -100.0 * n) for n in range(1, 8))),
}
"""By name: what has been the end of units elsewhere."""
