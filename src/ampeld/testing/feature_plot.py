"""The light curves that were measured, one panel for each object."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from ampeld.feature import LightCurve
from ampeld.testing.feature_states import ObjectState

ENDINGS: Final = (".png", ".pdf", ".svg")
MOST: Final = 24
"""Objects on one page."""
_COLUMNS: Final = 3
_COLOURS: Final = {"u": "#6a3d9a", "g": "#33a02c", "r": "#e31a1c", "i": "#b15928", "z": "#444444", "y": "#000000"}


def draw_states(path: Path, states: Sequence[ObjectState], title: str) -> int:
    """Draw light curves into a file, and return how many objects had no room.

    Detections of either sign stand at their magnitudes (open where the source is fainter than in the reference image),
    forced photometry brighter than nothing too, and limits as arrows.
    """
    shown = states[:MOST]
    columns = min(_COLUMNS, max(len(shown), 1))
    rows = max(math.ceil(len(shown) / columns), 1)
    figure = Figure(figsize=(5 * columns, 3.2 * rows + 0.5), layout="constrained")
    figure.suptitle(title)
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for panel, state in zip(panels, shown, strict=False):
        _draw(panel, state)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    figure.savefig(path, dpi=110)
    return len(states) - len(shown)


def _draw(panel: Any, state: ObjectState) -> None:
    curve = LightCurve(state.survey, [(number, jd, body) for number, jd, _, body in state.points])
    panel.set_title(state.name, fontsize="medium")
    panel.set_xlabel(f"JD - {math.floor(state.jd)} [d]")
    panel.set_ylabel("magnitude [AB]")
    panel.invert_yaxis()
    days = curve.jd - math.floor(state.jd)
    for band in sorted(set(curve.band.tolist())):
        colour = _COLOURS.get(band, "#888888")
        here = curve.band == band
        for chosen, face, label in ((curve.positive, colour, band), (~curve.positive, "none", None)):
            which = here & chosen & np.isfinite(curve.mag)
            if which.any():
                panel.errorbar(
                    days[which], curve.mag[which], curve.mag_err[which], fmt="o", ms=4, c=colour, mfc=face, label=label
                )
        limits = here & curve.is_limit & np.isfinite(curve.limit)
        panel.plot(days[limits], curve.limit[limits], "v", c=colour, ms=4, alpha=0.35)
    if panel.get_legend_handles_labels()[1]:
        panel.legend(fontsize="small")
