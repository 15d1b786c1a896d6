"""Why values are missing: one word each, which programs can rely on."""

from typing import Final

TOO_FEW_POINTS: Final = "too_few_points"
NO_DETECTION: Final = "no_detection"
NO_LIMIT: Final = "no_limit"
NO_BAND: Final = "no_band"
NO_ERROR: Final = "no_error"
NO_FIELD: Final = "no_field"
NEGATIVE_FLUX: Final = "negative_flux"
EQUAL_TIMES: Final = "equal_times"
NO_VARIATION: Final = "no_variation"
NO_PERIOD: Final = "no_period"
NOT_PEAKED: Final = "not_peaked"
NO_RISE: Final = "no_rise"
OUT_OF_LIMITS: Final = "out_of_limits"
NOT_CONVERGED: Final = "not_converged"
NO_REDSHIFT: Final = "no_redshift"
NO_MATCH: Final = "no_match"
NO_INPUT: Final = "no_input"
NO_MODEL: Final = "no_model"
NOT_FINITE: Final = "not_finite"

WORDS: Final = {
    TOO_FEW_POINTS: "fewer points than the measurement needs",
    NO_DETECTION: "no detection passes the selection",
    NO_LIMIT: "no upper limit passes the selection",
    NO_BAND: "a band that it needs has no points",
    NO_ERROR: "points without an error, or with an error of zero",
    NO_FIELD: "no point has the field",
    NEGATIVE_FLUX: "a negative flux has no magnitude",
    EQUAL_TIMES: "all points have one time",
    NO_VARIATION: "all values are equal",
    NO_PERIOD: "the periodogram has no further peak",
    NOT_PEAKED: "the light curve has not peaked, as far as can be told",
    NO_RISE: "no significant rise is seen",
    OUT_OF_LIMITS: "the value lies outside of the limits that it is accepted in",
    NOT_CONVERGED: "the fit did not converge",
    NO_REDSHIFT: "no redshift is known",
    NO_MATCH: "nothing is near in the catalogue",
    NO_INPUT: "a unit that it builds upon has no result",
    NO_MODEL: "the parameters name no model",
    NOT_FINITE: "the arithmetic gave no finite number",
}
"""What each means."""
