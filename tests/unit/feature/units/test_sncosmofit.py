"""SNCosmoFit against AMPEL's own fits and against curves that sncosmo itself has made."""

import numpy as np
import pytest
import sncosmo
from hypothesis import given, settings
from support.curves import AWKWARD, light_curves, long_curve, lsst, lsst_source, shuffled
from support.features import assert_described, compare, golden, measured, section

from ampeld.daemon.feature_resources import LocalResources
from ampeld.feature.units import sncosmofit
from ampeld.feature.units.fit_sncosmo import top_hat
from ampeld.feature.units.sncosmofit import SNCosmoFit
from ampeld.params import ParameterError

HSIAO = "hsiao-subsampled"
LSST = {"lsstg": [4000.0, 5500.0], "lsstr": [5500.0, 7000.0], "lssti": [7000.0, 8200.0]}
Z_GOLDEN = 0.05


def opened(directory, **params):
    unit = SNCosmoFit(**params)
    unit.open(LocalResources({}, directory))
    return unit


@pytest.fixture
def ztf_bands():
    told = section("provenance")["sncosmo_bandpasses"]
    return {name: edges for name, edges in told.items() if name != "note"}


def supernova(z=0.05, *, err=200.0, seed=5):
    """Return a light curve that the model itself gives, peaking 20 days behind the start, [nJy]."""
    model = sncosmo.Model(source=HSIAO)
    model.set(z=z, t0=20.0)
    model.set_source_peakabsmag(-19.3, "bessellb", "ab")
    chance = np.random.default_rng(seed)
    points = []
    for number, day in enumerate(np.arange(4.0, 70.0, 3.0), start=1):
        name = list(LSST)[number % 3]
        flux = model.bandflux(top_hat(name, *LSST[name]), day, zp=31.4, zpsys="ab") + chance.normal(0, err)
        points.append(lsst_source(number, 60900.0 + day, float(flux), psfFluxErr=err, band=name[-1]))
    return lsst(*points)


@pytest.mark.golden
def test_fits_at_a_fixed_redshift_are_ampels_where_no_flux_is_negative(tmp_path, ztf_bands):
    compared = good = 0
    cases = golden("RunSncosmo", "hsiao_fixed_z")
    unit = opened(tmp_path, **cases[0].config, bandpasses=ztf_bands)
    for case in cases:
        assert case.config == cases[0].config
        if not case.light_curve.detections.positive.all():
            continue  # AMPEL loses their sign
        body = measured(unit, case.light_curve)
        assert_described(unit, body)
        assert_described(unit, case.body)
        compared += 1
        # How often the model was called is the minimiser's affair.
        skip = ["*.jd_model_start", "*.ncall"]
        assert not compare(body, case.body, rel=1e-3, skip=skip), case.name
        if "best_z" in body:
            good += 1
            ours, ampel = (one["sncosmo_result"]["fit_metrics"]["jd_model_start"] for one in (body, case.body))
            t0 = body["sncosmo_result"]["paramdict"]["t0"]
            # AMPEL leaves out the factor (1 + z).
            assert (ours - t0) / (1 + Z_GOLDEN) == pytest.approx(ampel - t0, abs=0.05)
    assert (compared, good) == (25, 14)


@pytest.mark.golden
def test_a_redshift_that_is_to_be_fitted_is_where_ampel_stops(tmp_path, ztf_bands):
    found = 0
    cases = golden("RunSncosmo", "hsiao_fitted_z")
    unit = opened(tmp_path, **cases[0].config, bandpasses=ztf_bands)
    for case in cases[::4]:
        body = measured(unit, case.light_curve)
        assert set(case.body) == {"model_name", "z", "z_source", "z_weights"}
        assert {key: body[key] for key in case.body} == case.body
        if "best_z" in body:
            found += 1
            assert 0.001 <= float(body["best_z"]) <= 0.2
    assert found >= 5


def test_a_supernova_of_the_model_is_found_again(tmp_path):
    body = measured(opened(tmp_path, sncosmo_model_name=HSIAO, fixed_z=0.05, bandpasses=LSST), supernova())
    result = body["sncosmo_result"]
    start = supernova().jd[0] - 4.0
    assert abs(result["paramdict"]["t0"] - start - 20.0) < 4 * result["errors"]["t0"]
    assert result["chisq"] / result["ndof"] == pytest.approx(1.0, abs=0.6)
    assert result["fit_metrics"]["restpeak_model_absmag_B"] == pytest.approx(-19.3, abs=0.05)
    assert body["best_z"] == "0.05"


def test_a_redshift_is_fitted_within_its_bounds(tmp_path):
    bounds = {"z": [0.01, 0.15]}
    body = measured(opened(tmp_path, sncosmo_model_name=HSIAO, sncosmo_bounds=bounds, bandpasses=LSST), supernova())
    z, error = body["sncosmo_result"]["paramdict"]["z"], body["sncosmo_result"]["errors"]["z"]
    assert abs(z - 0.05) < 4 * error
    assert (body["z"], body["z_source"], body["best_z"]) == (None, "Fitted", str(z))


def test_of_several_redshifts_the_best_is_told_and_all_are_kept(tmp_path):
    zs = [0.02, 0.05, 0.12]
    body = measured(opened(tmp_path, sncosmo_model_name=HSIAO, fixed_z=zs, bandpasses=LSST), supernova())
    assert body["best_z"] == "0.05"
    assert set(body["result_at_z"]) == {"0.02", "0.05", "0.12"}
    assert body["result_at_z"]["0.05"] == body["sncosmo_result"]


def test_the_digested_redshift_and_the_window_are_taken_from_their_units(tmp_path):
    unit = opened(
        tmp_path,
        sncosmo_model_name=HSIAO,
        redshift_kind="AmpelZ",
        catalogs={"NEDz": {"rs_arcsec": 10.0}},
        phaseselect_kind="PhaseLimit",
        phase_limit={"half_time": 20.0},
        bandpasses=LSST,
    )
    assert [one.unit for one in unit.dependencies()] == ["DigestRedshifts", "PhaseLimit"]
    curve = supernova()
    start, end = float(curve.jd[2]), float(curve.jd[-3])
    redshift = {"ampel_z": 0.05, "group_z_nbr": 2}
    body = measured(unit, curve, redshift, {"t_start": start, "t_end": end})
    assert (body["z_source"], body["jdstart"], body["jdend"]) == ("AMPELz_group2", start, end)
    assert len(body["sncosmo_result"]["data_mask"]) == len(curve) - 4
    without = measured(unit, curve, {"group_zs": []}, {"t_start": start, "t_end": end})
    assert set(without) == {"model_name", "z", "z_source", "z_weights", "undefined"}
    no_window = measured(unit, curve, redshift, {"t_start": None, "t_end": None})
    assert "sncosmo_result" not in no_window
    assert no_window["undefined"]["jdstart"].startswith("no_detection")


def test_a_bandpass_may_come_from_a_file(tmp_path):
    for name, (low, high) in LSST.items():
        wave = np.arange(low - 10, high + 15, 10)
        np.savetxt(tmp_path / f"{name}.txt", np.column_stack((wave, ((wave >= low) & (wave <= high)) * 1.0)))
    params = {"sncosmo_model_name": HSIAO, "fixed_z": 0.05}
    files = {name: f"{name}.txt" for name in LSST}
    unit = opened(tmp_path, **params, bandpasses=files)
    assert list(unit.needs()) == [("file", name) for name in files.values()]
    assert measured(unit, supernova()) == measured(opened(tmp_path, **params, bandpasses=LSST), supernova())
    (tmp_path / "lsstg.txt").write_text("4000\n5000\n")
    with pytest.raises(ValueError, match="bandpasses: the file of lsstg"):
        opened(tmp_path, **params, bandpasses=files)


def test_models_come_from_the_given_directory_and_are_never_downloaded(tmp_path):
    (tmp_path / "data" / "models" / "hsiao").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"data_dir: .*Hsiao_SED_V3.fits"):
        opened(tmp_path, sncosmo_model_name="hsiao", fixed_z=0.05, data_dir="data")
    with pytest.raises(ValueError, match="nothing is downloaded"):
        opened(tmp_path, sncosmo_model_name="hsiao", fixed_z=0.05)


def test_bands_without_a_bandpass_are_a_reason_and_no_exception(tmp_path):
    body = measured(opened(tmp_path, sncosmo_model_name=HSIAO, fixed_z=0.05), supernova())
    assert (body["success"], body["sncosmo_result"]) == (False, {"chisq": -1, "ndof": -1})
    assert body["undefined"]["sncosmo_result"].startswith("no_band")


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "sncosmo_bounds: no redshift_kind"),
        ({"fixed_z": 0.1, "sncosmo_bounds": {"t0": [2.0, 1.0]}}, "no range"),
        ({"redshift_kind": "AmpelZ"}, "catalogs: "),
        ({"fixed_z": 0.1, "phaseselect_kind": "PhaseLimit"}, "half_time"),
        ({"fixed_z": 0.1, "bandpasses": {"ztfg": [5000.0, 4000.0]}}, "bandpasses: ztfg"),
        ({"fixed_z": 0.1, "apply_mwcorrection": True}, "no map of the dust"),
        ({"redshift_kind": "T2ElasticcRedshiftSampler"}, "AmpelZ or T2MatchBTS"),
    ],
)
def test_wrong_parameters_are_refused_by_name(given_, said):
    with pytest.raises(ParameterError, match=said):
        SNCosmoFit(sncosmo_model_name=HSIAO, **given_)


def test_unknown_models_and_parameters_are_refused_before_the_first_fit(tmp_path):
    with pytest.raises(ValueError, match="sncosmo_model_name: "):
        opened(tmp_path, sncosmo_model_name="hsia", fixed_z=0.05)
    with pytest.raises(ValueError, match=r"sncosmo_bounds: .* has z, t0, amplitude"):
        opened(tmp_path, sncosmo_model_name=HSIAO, sncosmo_bounds={"z": [0.1, 0.2], "x1": [-3.0, 3.0]})


def test_a_missing_sncosmo_is_told_with_the_extra(monkeypatch):
    monkeypatch.setattr(sncosmofit, "find_spec", lambda _: None)
    with pytest.raises(ParameterError, match=r"ampeld\[sncosmo\]"):
        SNCosmoFit(sncosmo_model_name=HSIAO, fixed_z=0.1)


def test_the_order_of_points_does_not_matter(tmp_path):
    unit = opened(tmp_path, sncosmo_model_name=HSIAO, fixed_z=0.05, bandpasses=LSST)
    assert measured(unit, shuffled(supernova(), 3)) == measured(unit, supernova())


BOTH = LSST | {"ztfg": [4100.0, 5500.0], "ztfr": [5600.0, 7300.0], "ztfi": [7000.0, 8900.0],
               "lsstu": [3200.0, 4000.0], "lsstz": [8200.0, 9200.0], "lssty": [9200.0, 10500.0]}  # fmt: skip


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    return opened(tmp_path_factory.mktemp("data"), sncosmo_model_name=HSIAO, fixed_z=0.05, bandpasses=BOTH)


@pytest.mark.parametrize("name", [name for name in AWKWARD if name != "a thousand points"])
def test_awkward_light_curves_give_values_or_reasons(fixed, name):
    assert_described(fixed, measured(fixed, AWKWARD[name]))


def test_many_points_are_fitted_or_give_a_reason(fixed):
    assert_described(fixed, measured(fixed, long_curve(150)))


@settings(max_examples=10, deadline=None)
@given(light_curves(max_size=12))
def test_any_light_curve_gives_values_or_reasons(fixed, curve):
    assert_described(fixed, measured(fixed, curve))
