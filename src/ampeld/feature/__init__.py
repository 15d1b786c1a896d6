"""What a feature's author sees: light curves, units that measure them, and values that say what they are."""

from ampeld.feature.light_curve import LightCurve
from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Dependency, ObjectUnit, PointUnit, StateUnit, Undefined, Value
from ampeld.feature.views import ObjectView, PointView

__all__ = [
    "Dependency",
    "FluxTable",
    "LightCurve",
    "ObjectUnit",
    "ObjectView",
    "PointUnit",
    "PointView",
    "StateUnit",
    "Undefined",
    "Value",
    "flux_table",
]
