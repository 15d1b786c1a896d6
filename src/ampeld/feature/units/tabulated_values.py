"""What TabulatorRiseDecline's values are. Fluxes are in units of 25 mag: 10^(-0.4 * 25) of 3631 Jy."""

from typing import Final

from ampeld.feature.statistics import described
from ampeld.feature.unit import Value

_DETECTIONS: Final = (
    Value("success", "", "whether there is any detection", "flag"),
    Value("cause", "", "why there is no success", "text"),
    Value("ndet", "", "points of significant bands that differ from zero by more than sigma_det", "integer"),
    Value("alldet", "", "points of all bands, where there is no detection", "integer"),
    Value("nnegdet", "", "negative points that are significant, where there is no detection", "integer"),
    Value("frac_pos", "", "fraction of the detections with a positive flux"),
    Value("jd_det", "d", "JD of the first detection"),
    Value("jd_last", "d", "JD of the last detection"),
    Value("jd_min", "d", "JD of the brightest detection"),
    Value("t_lc", "d", "from the first to the last detection"),
    Value("t_predetect", "d", "from the latest point of significant bands before the first detection to that"),
    Value("mag_det", "mag", "magnitude of the first detection"),
    Value("mag_last", "mag", "magnitude of the last detection"),
    Value("mag_min", "mag", "magnitude of the brightest detection"),
    Value("band_det_id", "", "band of the first detection, as its bit", "integer"),
    Value("band_last_id", "", "band of the last detection, as its bit", "integer"),
    Value("bool_pure", "", "every point of significant bands from the first to the last is a detection", "flag"),
    Value("bool_hasgaps", "", "two neighbouring points lie more than max_tgap apart", "flag"),
)
_VERDICT: Final = (
    Value("bool_rise", "", "rise_slopesig of all bands together is above sigma_slope", "flag"),
    Value("bool_fall", "", "fall_slopesig of all bands together is below -sigma_slope", "flag"),
    Value("bool_peaked", "", "it rises and falls, and one band does both", "flag"),
    Value("jd_peak", "d", "median JD of the peaks of the bands with both slopes; absent unless peaked"),
    Value("bool_fastrise", "", "the peak is within t_cadence of the first detection", "flag"),
    Value("bool_fastfall", "", "the peak is within t_cadence of the last detection", "flag"),
    Value("t_rise", "d", "from the first detection to the peak"),
    Value("t_fall", "d", "from the peak to the last detection"),
    *(
        Value(f"{moment}_bands", "", f"sum of the bits of bands with a point about the {name}", "integer")
        for moment, name in (("det", "first detection"), ("last", "last detection"), ("peak", "peak"))
    ),
    *(
        Value(f"{{band1}}-{{band2}}_{moment}", "mag", f"colour within half of t_cadence about the {name}")
        for moment, name in (("det", "first detection"), ("last", "last detection"), ("peak", "peak"))
    ),
)
_BAND: Final = (
    Value("jd_peak_{band}", "d", "JD of the largest flux"),
    Value("time_halfpeak_{band}", "d", "from the first to the last point above half of the largest flux"),
    Value("rise_slope_{band}", "1 / d", "slope of the weighted line up to the peak [flux / d]"),
    Value("rise_slopesig_{band}", "", "rise_slope by its error"),
    Value("fall_slope_{band}", "1 / d", "slope of the weighted line from the peak on [flux / d]"),
    Value("fall_slopesig_{band}", "", "fall_slope by its error"),
    Value("fluxevo_ratio_{band}", "", "mean flux dt_fluxevo after the peak by the largest flux"),
    Value("tau_rise_{band}", "d", "time scale of the rise of the fitted flare"),
    Value("tau_fall_{band}", "d", "time scale of the decay of the fitted flare"),
    Value("tau_chidof_{band}", "", "chi2 of that fit by the number of points"),
    Value("tau_dof_{band}", "", "number of points fitted, as AMPEL names it", "integer"),
    Value("tau_exp_{band}", "1 / d", "rate of a fitted exponential, where points are few"),
)
_SPLINE: Final = (
    Value("{band}_splineflux", "d", "area under the spline [flux d]"),
    Value("{band}_splineerr", "d", "area under the spline of the errors [flux d]"),
    Value("{band}_splinethalf", "d", "from the first to the last time with the spline above half of its maximum"),
    Value("{band}_dethalf", "", "points between these", "integer"),
    Value("{band}_peaksnbr", "", "peaks of the spline", "integer"),
    Value("{band}_peaksflux", "", "their fluxes", "list"),
    Value("{band}_peakstime", "d", "their JD", "list"),
    Value("{band}_offsetpeakflux", "", "the spline dt_fluxevo after each", "list"),
    Value("{band}_offsetpeakratio", "", "that by the peak's flux", "list"),
    Value("{band}_dtrise63", "d", "from the spline's last value below 63 % to the first peak"),
    Value("{band}_dtfall63", "d", "from the first peak to the spline's next value below 63 %"),
    Value("{band}_peakstdiff", "d", "between neighbouring peaks", "list"),
    Value("{band}_valleyflux", "", "the spline midway between them", "list"),
    Value("peakratio_{band1}_{band2}", "", "flux of the first peaks, one band by the other"),
    Value("offsetratio_{band1}_{band2}", "", "the same dt_fluxevo later"),
    Value("ratioevo_{band1}_{band2}", "1 / d", "how fast that ratio changes"),
    Value("peakratio_{band}", "", "peakratio by the redder band, as AMPEL's averaging names it"),
    Value("offsetratio_{band}", "", "offsetratio by the redder band"),
    Value("ratioevo_{band}", "1 / d", "ratioevo by the redder band"),
)
_RAINBOW: Final = (
    Value("rainbow_reference_time", "d", "JD at which rise and fall, and both temperatures, weigh the same"),
    Value("rainbow_amplitude", "", "largest bolometric flux, at the mean wavelength of the bands [flux]"),
    Value("rainbow_rise_time", "d", "time scale of the bolometric rise"),
    Value("rainbow_fall_time", "d", "time scale of the bolometric fall"),
    Value("rainbow_T", "K", "mean of the first and the last temperature"),
    Value("rainbow_T_amplitude", "", "their difference by their sum"),
    Value("rainbow_t_color", "d", "time scale of the change of temperature"),
)
# Fluxes are numbers without a unit: what is a flux by day is 1 / d.
_LIBRARY: Final = tuple(
    Value(value.key, "" if value.unit == "1" else value.unit, f"of fluxes{whose}: {value.description}")
    for suffix, whose in (("_{band}_flux", ""), ("_flux", ", mean over the significant bands"))
    for value in described("1", suffix)
)

TABULATED: Final = (*_DETECTIONS, *_VERDICT, *_BAND, *_SPLINE, *_RAINBOW, *_LIBRARY)
