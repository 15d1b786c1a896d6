import pytest
from fakes.catalog import FakeCatalog
from fakes.table import JD, packet, table

from ampeld.channel.columns import Columns
from ampeld.channel.cutnames import CutNames
from ampeld.channel.decent import DecentFilter
from ampeld.channel.gaia import COLUMNS
from ampeld.channel.judge import judge
from ampeld.flow.verdict import ERRORED, cut_name, is_accepted

# HU_RAPID as deployed, with its Gaia cut; all else is lenient
PARAMS = {
    "min_ndet": 1,
    "min_tspan": 0,
    "max_tspan": 5,
    "min_archive_tspan": -1,
    "min_rb": 0.3,
    "max_fwhm": 5.5,
    "max_elong": 1.4,
    "max_magdiff": 1,
    "max_nbad": 0,
    "min_sso_dist": 20,
    "min_gal_lat": -1,
    "ps1_sgveto_rad": 1,
    "ps1_sgveto_th": 0.8,
    "ps1_confusion_rad": 3,
    "ps1_confusion_sg_tol": 0.1,
    "gaia_rs": 20,
    "gaia_pm_signif": 3,
    "gaia_plx_signif": 3,
    "gaia_veto_gmag_min": 9,
    "gaia_veto_gmag_max": 20,
    "gaia_excessnoise_sig_max": 999,
}
GOOD = {
    "fwhm": 2.0,
    "elong": 1.1,
    "magdiff": 0.1,
    "nbad": 0,
    "rb": 0.9,
    "drb": 0.9,
    "ssdistnr": -999.0,
    **{f"distpsnr{i}": 9.0 for i in (1, 2, 3)},
    **{f"sgscore{i}": 0.5 for i in (1, 2, 3)},
    "jdstarthist": JD,
    "jdendhist": JD,
    "ra": 190.0,
    "dec": 30.0,
}
STAR = {"phot_g_mean_mag": 16.0, "astrometric_excess_noise_sig": 0.0, "pmra": 9.0} | {
    name: 1.0 for name in COLUMNS if name.startswith(("pmdec", "parallax", "pmra_"))
}


def gaia(*sources):
    """Stars at so many arcsec to the south of the alert, each with what is different about it."""
    rows = [STAR | changed for _, changed in sources]
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    return FakeCatalog([190.0] * len(rows), [30.0 - arcsec / 3600 for arcsec, _ in sources], **columns)


def verdict(catalogs, **params):
    names = CutNames()
    judgement = judge(DecentFilter(**(PARAMS | params)), Columns(table(packet(**GOOD)), catalogs), names)
    code = int(judgement.codes[0])
    if code == ERRORED:
        return judgement.failures[0].error
    return "accepted" if is_accepted(code) else cut_name(code, names.names)


@pytest.mark.parametrize(
    ("expected", "sources"),
    [
        ("accepted", []),
        ("gaia_star", [(3.0, {})]),
        ("accepted", [(3.0, {"pmra": 2.9})]),
        ("accepted", [(6.1, {})]),  # at G = 16 a star reaches 6.02 arcsec
        ("gaia_star", [(6.0, {})]),
        ("accepted", [(1.0, {"pmra": None})]),
        ("accepted", [(1.0, {"phot_g_mean_mag": 20.1})]),
        ("gaia_star", [(1.0, {"pmra": None}), (2.0, {})]),
        ("accepted", [(20.1, {"phot_g_mean_mag": 10.0})]),  # its halo reaches further than the search
        ("gaia_star", [(19.9, {"phot_g_mean_mag": 10.0})]),
    ],
)
def test_stars_of_gaia_reject_as_in_ampel(expected, sources):
    assert verdict({"gaia": gaia(*sources)}) == expected


def test_the_cut_is_left_out_when_the_radius_is_not_above_zero():
    assert verdict({}, gaia_rs=0) == "accepted"
    assert verdict({}, gaia_rs=-999) == "accepted"
    assert DecentFilter(**(PARAMS | {"gaia_rs": 0})).catalogs() == {}


def test_without_the_catalogue_no_alert_is_accepted_and_none_is_rejected():
    assert "there is no catalogue 'gaia'" in verdict({})


def test_the_catalogue_and_its_columns_are_asked_for_at_the_start():
    assert DecentFilter(**PARAMS).catalogs() == {"gaia": COLUMNS}
    assert DecentFilter(**(PARAMS | {"gaia_catalog": "gaia_north"})).catalogs() == {"gaia_north": COLUMNS}
