"""The built-in units by name: where each is, so that what nobody asks for is never imported."""

from typing import Final

BUILTIN: Final = {
    name: f"ampeld.feature.units.{name.lower()}"
    for name in (
        "BayesianBlocks",
        "BazinFit",
        "BrightSNProb",
        "CatalogMatch",
        "Classifier",
        "DigestRedshifts",
        "FastDecliner",
        "HealpixProb",
        "InfantEval",
        "KilonovaEval",
        "LCQuality",
        "LightCurveFeatures",
        "LightCurveSummary",
        "Observability",
        "PhaseLimit",
        "PolynomialFit",
        "RiseDecline",
        "SNCosmoFit",
        "TNSEval",
        "TabulatorRiseDecline",
        "VillarFit",
        "YoungTransient",
    )
}
"""By name: the module whose class of that name it is."""
