"""What YoungTransient's values are."""

from collections.abc import Iterator
from typing import Final

from ampeld.feature.unit import Value

_WHERE: Final = {
    "first": "of the first detection",
    "last": "of the last detection",
    "peak": "of the brightest detection",
}
_BRANCH: Final = {"rise": "up to the peak", "fall": "from the peak on"}


def _brightness() -> Iterator[Value]:
    for where, words in _WHERE.items():
        yield Value(f"flux_{where}", "nJy", f"flux {words}")
        yield Value(f"flux_{where}_err", "nJy", f"error of flux_{where}")
        yield Value(f"mag_{where}", "mag", f"magnitude {words}")
        yield Value(f"mag_{where}_err", "mag", f"error of mag_{where}")
    yield Value("t_peak", "d", "JD of the brightest detection")


def _band() -> Iterator[Value]:
    for branch, words in _BRANCH.items():
        yield Value(f"flux_{branch}_rate", "nJy / d", f"slope of the weighted line through the fluxes {words}")
        yield Value(f"flux_{branch}_rate_err", "nJy / d", f"error of flux_{branch}_rate")
        yield Value(f"{branch}_rate", "mag / d", f"the same of magnitudes {words}; negative is brightening")
        yield Value(f"{branch}_rate_err", "mag / d", f"error of {branch}_rate")
        yield Value(f"{branch}_red_chi2", "", f"chi-squared of the line through the magnitudes {words}, by n - 2")
        yield Value(f"{branch}_n", "", f"detections with an error {words}", "integer")
    yield Value("flux_amplitude", "nJy", "half of the largest less the smallest flux")
    yield Value("flux_standard_deviation", "nJy", "standard deviation of the fluxes (n - 1)")
    yield Value("amplitude", "mag", "half of the largest less the smallest magnitude")
    yield Value("standard_deviation", "mag", "standard deviation of the magnitudes (n - 1)")
    yield Value("stetson_K", "", "Stetson's K of the fluxes: 0.8 for noise, 0.9 for a sinusoid")
    yield Value("chi2", "", "chi-squared of the fluxes about their weighted mean, by n - 1")
    yield Value("excess_variance", "", "(variance - mean squared error) of the fluxes by the square of their mean")


_BAND: Final = tuple(_band())
_BRIGHTNESS: Final = tuple(_brightness())


def _in_band(values: tuple[Value, ...]) -> Iterator[Value]:
    return (Value(f"{v.key}_{{band}}", v.unit, f"{v.description}, in the band", v.type) for v in values)


def _colours() -> Iterator[Value]:
    for where in _WHERE:
        key = f"color_{{blue}}_{{red}}_{where}"
        yield Value(key, "mag", f"magnitude in the bluer less the redder band around the {where} detection")
        yield Value(f"{key}_err", "mag", "error of that colour")
    yield Value("colour_slope_{blue}_{red}", "mag / d", "slope of the weighted line through the colours of pairs")
    yield Value("colour_slope_{blue}_{red}_err", "mag / d", "error of that slope")


OVERALL: Final = (
    Value("ndet", "", "detections of either sign", "integer"),
    Value("n_nights", "", "nights at the site with a detection", "integer"),
    Value("n_pos", "", "detections brighter than the reference image", "integer"),
    Value("frac_pos", "", "n_pos by ndet"),
    Value("t_first", "d", "JD of the first detection brighter than the reference image"),
    Value("t_last", "d", "JD of the last one"),
    Value("age", "d", "from the first to the last one"),
    Value("t_predetect", "d", "from the latest good limit in any band before the first one to that"),
    Value("bool_pure", "", "no good limit between first and last one, in a band that has detections", "flag"),
    *_BRIGHTNESS,
    Value("band_first", "", "band of the first detection", "text"),
    Value("band_last", "", "band of the last detection", "text"),
    Value("band_peak", "", "band of the brightest detection", "text"),
    Value("abs_mag_peak", "mag", "mag_peak less the distance modulus (Planck15), without a K correction"),
    Value("redshift", "", "redshift behind it"),
    Value("lead_band", "", "band with the most detections: what is not named by a band below is measured in", "text"),
    *_BAND,
    Value("bool_rising", "", "risen significantly, and not fallen since", "flag"),
    Value("bool_peaked", "", "risen and fallen significantly", "flag"),
    Value("bool_fading", "", "fallen significantly from the brightest detection", "flag"),
    Value("t_rise", "d", "from the first to the brightest detection of the lead band, if it rose significantly"),
    Value("t_fall", "d", "from there to its last detection, if it fell significantly"),
    Value("bool_hasgaps", "", "two neighbouring detections lie more than max_gap apart", "flag"),
    Value("dfdt_first", "nJy / d", "least rise from the latest good limit in the band of the first detection to that"),
    Value("dfdt_first_err", "nJy / d", "error of dfdt_first, from that of the detection"),
    Value("dmdt_first", "mag / d", "the same in magnitudes; negative is brightening"),
    Value("dmdt_first_err", "mag / d", "error of dmdt_first"),
    Value("flux_rate_last", "nJy / d", "change between the last two detections of one band, min_dt or more apart"),
    Value("flux_rate_last_err", "nJy / d", "error of flux_rate_last"),
    Value("rate_last", "mag / d", "the same in magnitudes; negative is brightening"),
    Value("rate_last_err", "mag / d", "error of rate_last"),
    Value("rate_last_band", "", "that band", "text"),
    Value("colour_slope", "mag / d", "change of the colour with the most pairs"),
    Value("colour_slope_err", "mag / d", "error of colour_slope"),
    Value("colour_slope_bands", "", "that colour: g_r", "text"),
    Value("jump_sigma", "", "brightest flux of 10 days above the 10 to 70 days before, in errors, all bands' largest"),
    Value("stationary", "", "two detections at this place lie stationary_dt or more apart", "flag"),
    Value("sso", "", "a known solar-system object was near at a detection", "flag"),
    Value("n_ssmatch", "", "detections with a known solar-system object near", "integer"),
    Value("host_sep", "arcsec", "distance of the nearest of three PS1 sources that is like a galaxy"),
    Value("sgscore", "", "star/galaxy score of the nearest PS1 source: 1 is a star"),
    Value("gal_b", "deg", "Galactic latitude"),
)
"""Values that every body has."""

YOUNG: Final = (
    *OVERALL,
    Value("ndet_{band}", "", "detections of either sign in the band", "integer"),
    *_in_band(_BRIGHTNESS),
    *_in_band(_BAND),
    *_colours(),
)
"""And those of each band, and of each two neighbouring bands, that have detections."""
