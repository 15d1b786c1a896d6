import json

import numpy as np
import pytest
from support.catalogs import make_catalog

from ampeld.catalog.catalog import Catalog
from ampeld.catalog.check import check_catalog
from ampeld.catalog.directory import names_in, open_catalogs
from ampeld.catalog.errors import CatalogError


@pytest.fixture
def catalog(tmp_path):
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500).tolist(), rng.uniform(-90, 90, 500).tolist()
    return make_catalog(tmp_path, "c", ra=ra, dec=dec, n=[None, *range(1, 500)])


def column(catalog, name):
    return catalog.directory / catalog.meta.data / f"{name}.npy"


def overwrite(catalog, name, change):
    array = np.load(column(catalog, name))
    np.save(column(catalog, name), change(array))
    return check_catalog(catalog.directory)


def edit_meta(catalog, **changed):
    path = catalog.directory / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_a_cone_finds_a_source_with_its_columns(catalog):
    at = catalog.array("ra")[:2].copy(), catalog.array("dec")[:2].copy()
    offsets, rows, distances = catalog.cone(*at, 1.0)
    assert (offsets.tolist(), rows.tolist(), distances.tolist()) == ([0, 1, 2], [0, 1], [0.0, 0.0])
    assert catalog.take("n", rows)[0].tolist() == catalog.array("n")[:2].tolist()


def test_a_column_that_is_not_there_is_a_key_error(catalog):
    with pytest.raises(KeyError):
        catalog.take("z", np.array([0]))
    assert sorted(catalog.columns) == ["dec", "n", "ra"]


def test_a_catalogue_as_imported_is_in_order(catalog):
    assert check_catalog(catalog.directory) == []


def test_changed_contents_are_found(catalog):
    assert overwrite(catalog, "n", lambda n: n + 1) == [
        f"{catalog.directory}: column 'n' is damaged: its contents are not those that were imported"
    ]


def test_rows_out_of_order_are_found(catalog):
    assert "not in their order on the sky" in overwrite(catalog, "hpx29", lambda index: index[::-1])[-1]


def test_positions_that_are_none_are_found(catalog):
    assert "500 rows have no ra between 0 and 360" in overwrite(catalog, "ra", lambda ra: ra + 400)[-1]


def test_sources_that_cannot_be_found_are_found(catalog):
    assert "of 500 sources that were looked for" in overwrite(catalog, "ra", lambda ra: ra[::-1])[-1]


def test_changed_words_are_found(catalog):
    edit_meta(catalog, digest="0" * 16)
    assert check_catalog(catalog.directory) == [
        f"{catalog.directory}: meta.json was changed: its digest is not that of its columns"
    ]


def test_a_catalogue_under_another_name_is_found(catalog, tmp_path):
    catalog.directory.rename(tmp_path / "other")
    assert "lies under another name than its own, 'c'" in check_catalog(tmp_path / "other")[0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: column(c, "n").unlink(), "n.npy: is missing: import the catalogue again"),
        (lambda c: column(c, "ra").write_bytes(b"no"), "ra.npy: is no column of a catalogue"),
        (
            lambda c: np.save(column(c, "n"), np.zeros(3, dtype=int)),
            "shape \\(3,\\) where 500 rows of int are expected",
        ),
        (lambda c: np.save(column(c, "n"), np.zeros(500)), "float64 of shape \\(500,\\) where 500 rows of int"),
        (lambda c: (c.directory / "meta.json").write_text("{"), "meta.json: does not describe a catalogue"),
        (lambda c: edit_meta(c, format=2), "is of format 2, and this ampeld reads 1: import it again"),
        (lambda c: (c.directory / "meta.json").unlink(), "meta.json: cannot be read: No such file"),
    ],
)
def test_a_damaged_catalogue_is_refused_with_the_reason(catalog, damage, message):
    damage(catalog)
    with pytest.raises(CatalogError, match=message):
        Catalog(catalog.directory)


def test_the_catalogues_of_a_directory_are_opened_and_broken_ones_named(catalog, tmp_path):
    make_catalog(tmp_path, "d", ra=[1.0], dec=[2.0])
    column(catalog, "n").unlink()
    (tmp_path / "no_catalogue").mkdir()
    found = open_catalogs(tmp_path)
    assert list(found.catalogs) == ["d"]
    assert list(found.broken) == ["c"]
    assert "n.npy: is missing" in found.broken["c"]


def test_a_directory_that_is_not_there_has_no_catalogues(tmp_path):
    assert names_in(tmp_path / "absent") == []
    assert open_catalogs(tmp_path / "absent").catalogs == {}
