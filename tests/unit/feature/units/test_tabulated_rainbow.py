"""The rainbow fit against AMPEL's values where these are well determined, and the library's model everywhere."""

import warnings

import light_curve
import numpy as np
import pytest
from support.curves import NIGHT, ztf, ztf_detection
from support.features import golden

from ampeld.feature.tables import FluxTable, flux_table
from ampeld.feature.unit import Undefined
from ampeld.feature.units.tabulated_rainbow import NAMES, RainbowBands, fit_rainbow

WAVES = {"ztfg": 4783.0, "ztfr": 6417.0, "ztfi": 7867.0}
BANDS = RainbowBands(WAVES)
TRUTH = (2459000.0, 400.0, 4.0, 25.0, 9000.0, 0.4, 8.0)


@pytest.fixture(scope="module")
def library():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield light_curve.RainbowFit.from_angstrom(WAVES, with_baseline=False)


def objective(library, rows, values):
    """Return chi2 by the library's model, and its prior of the change of temperature."""
    model = library.model(rows.time, np.array(rows.band.tolist()), *values)
    return float(np.sum(((rows.flux - model) / rows.fluxerr) ** 2) + (values[5] / 0.25) ** 2)


def simulated(library, relative=0.02):
    chance = np.random.default_rng(3)
    time = np.sort(2459000.0 + chance.uniform(-20, 60, 60))
    band = np.array([list(WAVES)[i % 3] for i in range(60)], dtype=object)
    flux = library.model(time, np.array(band.tolist()), *TRUTH)
    errors = np.full(60, relative * flux.max())
    return FluxTable(time, flux + chance.normal(0, errors), errors, band)


@pytest.mark.golden
def test_a_supernova_has_ampels_values(library):
    (case,) = (case for case in golden("TabulatorRiseDecline", "ztf_rainbow") if case.object == "SYNTH_SN")
    found = fit_rainbow(flux_table(case.light_curve), BANDS)
    expected = {key: value for key, value in case.body.items() if key.startswith("rainbow_")}
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, rel=1e-3)
    assert found["rainbow_reference_time"] == pytest.approx(expected["rainbow_reference_time"], abs=0.01, rel=0)


@pytest.mark.golden
def test_no_fit_that_is_kept_is_worse_than_ampels(library):
    compared = 0
    for case in golden("TabulatorRiseDecline", "ztf_rainbow"):
        if "rainbow_T" not in case.body or not case.light_curve.detections.positive.all():
            continue
        rows = flux_table(case.light_curve)
        ours = list(fit_rainbow(rows, BANDS).values())
        if isinstance(ours[0], Undefined):
            continue
        ampels = [case.body[f"rainbow_{name}"] for name in NAMES]
        assert objective(library, rows, ours) <= objective(library, rows, ampels) * (1 + 1e-4), case.name
        compared += 1
    assert compared >= 2


def test_a_simulated_black_body_is_recovered(library):
    rows = simulated(library)
    found = fit_rainbow(rows, BANDS)
    assert list(found) == [f"rainbow_{name}" for name in NAMES]
    values = list(found.values())
    assert values[0] == pytest.approx(TRUTH[0], abs=1.5)
    assert values[1:5] == pytest.approx(TRUTH[1:5], rel=0.1)
    assert values[5] == pytest.approx(TRUTH[5], abs=0.1)
    assert objective(library, rows, values) <= objective(library, rows, TRUTH)


def test_eight_points_are_too_few_and_bands_without_a_wavelength_do_not_count(library):
    points = [ztf_detection(n, NIGHT + n, fid=1 + n % 2) for n in range(1, 9)]
    found = fit_rainbow(flux_table(ztf(*points)), BANDS)
    assert {value.reason for value in found.values()} == {"too_few_points"}
    one = fit_rainbow(simulated(library), RainbowBands({"lsstg": 4800.0}))
    assert {value.detail for value in one.values()} == {"0 of 9"}


def test_what_is_never_positive_is_told():
    points = [ztf_detection(n, NIGHT + n, 19 + n / 10, fid=1 + n % 2, isdiffpos="f") for n in range(1, 15)]
    found = fit_rainbow(flux_table(ztf(*points)), BANDS)
    assert all(isinstance(value, Undefined) for value in found.values())
