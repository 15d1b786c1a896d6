"""What RiseDecline's values are: its catalogue, which the units that build on it extend."""

from typing import Final

from ampeld.feature.unit import Value

MEDIANS: Final = (
    "rb",
    "drb",
    "distnr",
    "magnr",
    "classtar",
    "sgscore1",
    "distpsnr1",
    "sgscore2",
    "distpsnr2",
    "neargaia",
    "maggaia",
)
"""Fields whose median over the detections is given."""
CUTTABLE: Final = ("fwhm", "elong", "nbad", "chipsf", "magap", "magdiff", "scorr", "sharpnr", "magfromlim", "ssdistnr")
"""Fields beyond those that ``lc_filter`` may look at."""

_UNITS: Final = {"distnr": "pix", "magnr": "mag", "maggaia": "mag"} | dict.fromkeys(
    ("distpsnr1", "distpsnr2", "neargaia"), "arcsec"
)

RISE_DECLINE: Final = (
    Value("success", "", "whether any detection passes the selection", "flag"),
    Value("cause", "", "why there is no success", "text"),
    Value("cut_pp", "", "detections dropped for a more reliable one at the same time", "integer"),
    Value("ndet", "", "detections that pass the selection", "integer"),
    Value("jd_det", "d", "JD of the first detection"),
    Value("jd_last", "d", "JD of the last detection"),
    Value("t_lc", "d", "from the first to the last detection"),
    Value("mag_det", "mag", "magnitude of the first detection, in whichever band"),
    Value("mag_last", "mag", "magnitude of the last detection, in whichever band"),
    *(Value(f"{name}_med", _UNITS.get(name, ""), f"median of {name} over the detections") for name in MEDIANS),
    Value("bool_pure", "", "no strong limit in any band after the first detection", "flag"),
    Value("bool_pure_{band}", "", "no strong limit in this band after its first detection", "flag"),
    Value("t_predetect", "d", "from the latest strong limit in any band before the first detection to that"),
    Value("t_predetect_{band}", "d", "from the latest strong limit in this band before its first detection to that"),
    Value("bool_peaked", "", "brightest point older than max_tsep, and the last one significantly fainter", "flag"),
    Value("jd_max", "d", "JD of the brightest point, if the light curve has peaked"),
    Value("mag_peak", "mag", "magnitude of the brightest point, if the light curve has peaked"),
    Value("bool_rising", "", "not peaked, and the brightest point is within max_tsep of the last", "flag"),
    Value("bool_norise", "", "no significant rise is seen from the first detection on", "flag"),
    Value("bool_hasgaps", "", "two neighbouring detections lie more than max_tgap apart", "flag"),
    Value("slope_rise_{band}", "mag / d", "slope of the weighted line up to the peak; negative is brightening"),
    Value("slope_rise_{band}_err", "mag / d", "error of slope_rise_{band}"),
    Value("slope_fall_{band}", "mag / d", "slope of the weighted line from the peak on; absent unless peaked"),
    Value("slope_fall_{band}_err", "mag / d", "error of slope_fall_{band}"),
    Value("col_det", "mag", "colour, first less second band of filter_ids, within max_tsep of the first detection"),
    Value("col_last", "mag", "the same within max_tsep of the last detection"),
    Value("col_peak", "mag", "the same within max_tsep of the peak"),
)
