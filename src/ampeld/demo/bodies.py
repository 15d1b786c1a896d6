"""The fields of a simulated measurement: of the alert's own, of one in a history, and of forced photometry."""

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ampeld.demo.objects import SimulatedObject
from ampeld.demo.packets import encode_candidate, encode_forced, encode_previous
from ampeld.demo.survey import BANDS, EPOCH_JD, PIXEL_ARCSEC

Body = dict[str, Any]
_NONE = -999.0
_ROUNDED = ("magpsf", "sigmapsf", "magap", "sigmagap", "magapbig", "sigmagapbig", "rb", "scorr", "xpos", "ypos")


class _Draw(NamedTuple):
    """What chance adds to one visit."""

    noise: list[float]
    scores: Body
    """What tells real from bogus."""


class Bodies:
    """Every record that the alerts of one object consist of, each encoded once.

    Parameters
    ----------
    subject
        The object.
    candids
        The number of each detection, by visit; it leaves no visit out that is detected.
    """

    def __init__(self, subject: SimulatedObject, candids: dict[int, int]) -> None:
        self.subject = subject
        self.candids = candids
        self._previous: dict[int, bytes] = {}
        self._forced: dict[int, bytes] = {}

    def candidate(self, visit: int) -> bytes:
        """Return the encoded ``candidate`` of a detection."""
        return encode_candidate(self._image(visit) | self._detection(visit) | self._context(visit))

    def history(self, visit: int) -> list[bytes]:
        """Return the encoded ``prv_candidates`` of an alert at this visit."""
        return [self._previous_at(index) for index in self.subject.history(visit)]

    def forced(self, visit: int) -> list[bytes]:
        """Return the encoded ``fp_hists`` of an alert at this visit; a moving object has none."""
        if self.subject.kind == "asteroid":
            return []
        return [self._forced_at(index) for index in self.subject.history(visit)]

    def _previous_at(self, visit: int) -> bytes:
        if visit not in self._previous:
            body = self._image(visit)
            if self.subject.detected[visit]:
                body |= self._detection(visit)
                body |= {name: round(body[name], 4) for name in _ROUNDED}  # histories are rounded, as in real alerts
            self._previous[visit] = encode_previous(body)
        return self._previous[visit]

    def _forced_at(self, visit: int) -> bytes:
        if visit not in self._forced:
            self._forced[visit] = encode_forced(self._forced_body(visit))
        return self._forced[visit]

    def _image(self, visit: int) -> Body:
        """Return what is known of the image, all that an upper limit has."""
        it, visits = self.subject, self.subject.visits
        jd, fid, pid = float(visits.jd[visit]), int(visits.fid[visit]), it.pid[visit]
        ccd, quadrant = it.rcid // 4 + 1, it.rcid % 4 + 1
        return {
            "jd": jd,
            "fid": fid,
            "pid": pid,
            "diffmaglim": float(it.limit[visit]),
            "pdiffimfilename": f"ztf_{pid}_{it.field.number:06d}_z{BANDS[fid]}_c{ccd:02d}_o_q{quadrant}_diff.fits",
            "programpi": "Simulation",
            "programid": 1,
            "nid": int(jd - EPOCH_JD),
            "rcid": it.rcid,
            "field": it.field.number,
            "magzpsci": float(visits.zero_point[visit]),
            "magzpsciunc": 8e-6,
            "magzpscirms": 0.03,
            "clrcoeff": -0.05 if fid == 1 else 0.09,
            "clrcounc": 1.5e-5,
            "rbversion": "t17_f5_c3",
        }

    def _detection(self, visit: int) -> Body:
        """Return what is measured of a detection, as far as histories carry it."""
        it = self.subject
        draw = self._draws[visit]
        noise = draw.noise
        mag, error = float(it.magnitude[visit]), float(it.magnitude_error[visit])
        limit, seeing = float(it.limit[visit]), float(it.visits.seeing[visit]) / PIXEL_ARCSEC
        snr = abs(float(it.flux[visit] / it.error[visit]))
        bogus = it.kind == "bogus"
        width = seeing * (1 + abs(noise[0]) * (0.8 if bogus else 0.06))
        elongation = 1.02 + abs(noise[1]) * (0.5 if bogus else 0.08)
        aperture = mag + noise[2] * (0.6 if bogus else 0.4 * error) - 0.02
        moved = 0.08 / 3600
        position = {
            "ra": it.ra + noise[3] * moved / math.cos(math.radians(it.dec)),
            "dec": it.dec + noise[4] * moved,
            "xpos": 100 + (it.ra * 7919) % 2870,
            "ypos": 100 + (it.dec * 7919) % 2880,
        }
        return {
            **position,
            **self._reference,
            **draw.scores,
            "rb": draw.scores["rb"] * (1 - 0.35 * math.exp((5 - snr) / 4)),  # what is faint is harder to tell
            **self._solar_system(mag, noise),
            "candid": self.candids[visit],
            "tblid": self.candids[visit] % 1000,
            "isdiffpos": "t" if it.flux[visit] > 0 else "f",
            "magpsf": mag,
            "sigmapsf": error,
            "chipsf": abs(1 + 0.3 * noise[5]) * (4 if bogus else 1),
            "magap": aperture,
            "sigmagap": 0.8 * error,
            "sky": 0.3 * noise[6],
            "magdiff": aperture - mag,
            "fwhm": width,
            "mindtoedge": min(position["xpos"], position["ypos"]),
            "magfromlim": limit - aperture,
            "seeratio": 1 + 0.2 * abs(noise[7]),
            "aimage": 0.42 * width * elongation,
            "bimage": 0.42 * width,
            "aimagerat": 0.42 * elongation,
            "bimagerat": 0.42,
            "elong": elongation,
            "magapbig": aperture - 0.03 + 0.1 * noise[8],
            "sigmagapbig": error,
            "scorr": snr * 1.1,
        }

    @cached_property
    def _draws(self) -> list[_Draw]:
        return _draw_visits(self.subject)

    @cached_property
    def _reference(self) -> Body:
        """Return the nearest source in the reference image."""
        it, near = self.subject, self.subject.neighbour
        return {
            "distnr": near.distance / PIXEL_ARCSEC,
            "magnr": near.mag,
            "sigmagnr": 0.02,
            "chinr": 0.6 + near.star_score * 0.2,
            "sharpnr": 0.0 if near.star_score > 0.5 else 0.15,
            "ranr": it.ra + near.distance / 3600 / math.cos(math.radians(it.dec)),
            "decnr": it.dec,
        }

    def _solar_system(self, mag: float, noise: list[float]) -> Body:
        it = self.subject
        if it.kind != "asteroid" or it.number % 7 == 0:  # one in seven is not catalogued yet
            return {"ssdistnr": _NONE, "ssmagnr": _NONE, "ssnamenr": None}
        return {
            "ssdistnr": min(29.0, abs(noise[9])),
            "ssmagnr": mag + 0.2 * noise[10],
            "ssnamenr": str(1000 + it.number * 7 % 600_000),
        }

    def _context(self, visit: int) -> Body:
        """Return what only the alert's own record has: its past, the catalogues and the calibration."""
        it = self.subject
        before = int(np.count_nonzero(it.detected[: visit + 1]))
        seen, first = it.archive
        jd = float(it.visits.jd[visit])
        snr = float(it.flux[visit] / it.error[visit])
        return {
            **self._catalogues,
            "ndethist": seen + before,
            "ncovhist": 40 + it.field.number % 200 + seen * 3 + visit + 1,
            "jdstarthist": first or float(it.visits.jd[int(np.argmax(it.detected))]),
            "jdendhist": jd,
            "tooflag": 0,
            "dsnrms": snr,
            "ssnrms": snr + 8.0,
            "dsdiff": -8.0,
            "nmatches": 250 + it.rcid,
            "zpclrcov": -9e-6,
            "zpmed": float(it.visits.zero_point[visit]) - 0.05,
            "clrmed": 0.8,
            "clrrms": 0.25,
            "exptime": 30.0,
            "drbversion": "d6_m7",
        }

    @cached_property
    def _catalogues(self) -> Body:
        it, near = self.subject, self.subject.neighbour
        random = np.random.default_rng([*it.seed, 2])
        body: Body = {"nmtchps": 3, "rfid": it.field.number * 1_000_000 + it.rcid + 120_101}
        distance = near.distance
        for rank in (1, 2, 3):
            score = near.star_score if rank == 1 else float(random.uniform(0, 1))
            mag = near.mag if rank == 1 else float(random.uniform(18, 22))
            body |= {
                f"s{band}mag{rank}": mag + offset for band, offset in zip("griz", (0.5, 0, -0.2, -0.3), strict=True)
            }
            body |= {f"sgscore{rank}": score, f"distpsnr{rank}": distance}
            body[f"objectidps{rank}"] = int(random.integers(10**16, 2 * 10**17))
            distance += float(random.uniform(3, 8))
        star = near.distance if it.kind == "variable" else float(random.uniform(10, 60))
        reference_jd = float(it.visits.jd[0]) - 2400
        gaia = {"neargaia": star, "neargaiabright": _NONE, "maggaia": near.mag, "maggaiabright": _NONE}
        return body | gaia | {"jdstartref": reference_jd, "jdendref": reference_jd + 90, "nframesref": 15}

    def _forced_body(self, visit: int) -> Body:
        it, visits = self.subject, self.subject.visits
        image = self._image(visit)
        counts = 10 ** (0.4 * (image["magzpsci"] - 25.0))
        reference = {name: self._reference[name] for name in ("ranr", "decnr", "magnr", "sigmagnr", "chinr", "sharpnr")}
        return {
            **image,
            **reference,
            "rfid": self._catalogues["rfid"],
            "sciinpseeing": float(visits.seeing[visit]) / PIXEL_ARCSEC,
            "scibckgnd": 160.0,
            "scisigpix": 8.0,
            "exptime": 30.0,
            "adpctdif1": 0.08,
            "adpctdif2": 0.08,
            "forcediffimflux": float(it.flux[visit]) * counts,
            "forcediffimfluxunc": float(it.error[visit]) * counts,
            "procstatus": "0",
            "distnr": it.neighbour.distance,
        }


def _draw_visits(subject: SimulatedObject) -> list[_Draw]:
    """Draw for all visits at once: a generator for each would cost more than all the rest."""
    random = np.random.default_rng([*subject.seed, 1])
    visits = len(subject.visits.jd)
    noise: list[list[float]] = random.normal(0, 1, (visits, 11)).tolist()
    if subject.kind == "bogus":
        scores = {
            "rb": random.beta(1.5, 6, visits),
            "drb": random.beta(1, 12, visits),
            "nbad": random.integers(0, 12, visits),
            "nneg": random.integers(4, 16, visits),
            "sumrat": random.uniform(0, 0.7, visits),
        }
    else:
        scores = {
            "rb": random.beta(8, 3, visits),
            "drb": random.beta(30, 1, visits),
            "nbad": np.zeros(visits, np.int64),
            "nneg": random.integers(0, 4, visits),
            "sumrat": random.uniform(0.85, 1, visits),
        }
    scores["classtar"] = random.uniform(0.5, 1, visits)
    rows = zip(*(values.tolist() for values in scores.values()), strict=True)
    return [_Draw(each, dict(zip(scores, row, strict=True))) for each, row in zip(noise, rows, strict=True)]
