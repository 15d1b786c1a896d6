import json

import numpy as np
import pytest
from support.catalogs import make_catalog, write_csv

from ampeld.catalog import importer
from ampeld.catalog.catalog import Catalog
from ampeld.catalog.choice import Wanted
from ampeld.catalog.errors import TableError
from ampeld.catalog.gather import Request
from ampeld.catalog.importer import import_tables
from ampeld.catalog.presets import PRESETS
from ampeld.catalog.table import open_table


def run(directory, *tables, name="stars", progress=lambda *_: None, **more):
    more.setdefault("wanted", Wanted())
    return import_tables(directory, Request(name=name, paths=list(tables), **more), progress)


def left(directory):
    return sorted(path.name for path in directory.iterdir() if path.suffix != ".csv")


def test_a_table_becomes_a_catalogue_in_order_on_the_sky(tmp_path):
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 3000), rng.uniform(-90, 90, 3000)
    table = write_csv(tmp_path / "t.csv", ra=ra.tolist(), dec=dec.tolist(), n=list(range(3000)))
    done = run(tmp_path, table, run_bytes=10_000, slice_rows=1024, epoch=2016.0, description="mine")
    catalog = Catalog(tmp_path / "stars")
    assert (np.diff(catalog.index) >= 0).all()
    row = catalog.take("n", np.arange(3000))[0]
    assert sorted(row.tolist()) == list(range(3000))
    assert catalog.take("ra", np.arange(3000))[0].tolist() == ra[row].tolist()
    assert catalog.take("dec", np.arange(3000))[0].tolist() == dec[row].tolist()
    assert (done.meta.rows, done.meta.epoch, done.meta.description) == (3000, 2016.0, "mine")
    assert done.meta == catalog.meta
    assert left(tmp_path) == ["stars"]


def test_values_keep_their_kind_and_what_is_missing_stays_missing(tmp_path):
    catalog = make_catalog(
        tmp_path,
        "c",
        ra=[1, 2, 3],
        dec=[0, 0, 0],
        z=[0.5, None, 2],
        n=[1, None, 2**60],
        s=["é", None, "a b"],
        b=["true", "false", None],
    )
    order = np.argsort(catalog.array("ra"))
    values, missing = catalog.take("z", order)
    assert (values.dtype, missing.tolist(), values[[0, 2]].tolist()) == (np.float64, [False, True, False], [0.5, 2])
    values, missing = catalog.take("n", order)
    assert (values.dtype, missing.tolist(), values[[0, 2]].tolist()) == (np.int64, [False, True, False], [1, 2**60])
    values, missing = catalog.take("s", order)
    assert (values.tolist(), missing.tolist()) == (["é", None, "a b"], [False, True, False])
    values, missing = catalog.take("b", order)
    assert (values[:2].tolist(), missing.tolist()) == ([1, 0], [False, False, True])
    assert [column.missing for column in catalog.meta.columns] == [0, 0, 0, 1, 1, 1]


def test_rows_of_several_tables_make_one_catalogue(tmp_path):
    one = write_csv(tmp_path / "one.csv", ra=[1.0], dec=[2.0], x=[3])
    other = write_csv(tmp_path / "other.csv", dec=[-2.0], x=[0.5], ra=[300.0])
    done = run(tmp_path, one, other)
    assert [(source.path, source.rows) for source in done.meta.sources] == [(str(one), 1), (str(other), 1)]
    assert sorted(Catalog(tmp_path / "stars").take("x", np.arange(2))[0].tolist()) == [0.5, 3.0]


def test_units_of_positions_are_converted(tmp_path):
    table = write_csv(tmp_path / "t.csv", ra=[12.0], dec=[-0.5])
    run(tmp_path, table, wanted=Wanted(units={"ra": "hourangle", "dec": "rad"}))
    catalog = Catalog(tmp_path / "stars")
    assert catalog.array("ra").tolist() == [180.0]
    assert catalog.array("dec").tolist() == pytest.approx([np.degrees(-0.5)])


def test_right_ascensions_may_run_from_minus_180(tmp_path):
    assert make_catalog(tmp_path, "c", ra=[-10.0, 360.0], dec=[0, 0]).array("ra").tolist() in (
        [350.0, 0.0],
        [0.0, 350.0],
    )


BAD = {"ra": [1.0, None, 361.0, 2.0], "dec": [0.0, 1.0, 2.0, 90.1]}


def test_rows_without_a_position_refuse_the_table_and_are_counted(tmp_path):
    table = write_csv(tmp_path / "t.csv", **BAD)
    with pytest.raises(TableError) as caught:
        run(tmp_path, table)
    first = f"{table}: 3 of 4 rows have no position on the sky; the first, row 2: ra nan, dec 1.0 [deg]"
    assert caught.value.problems == [first, "--skip-bad leaves such rows out"]
    assert left(tmp_path) == []


def test_rows_without_a_position_are_left_out_if_asked_to(tmp_path):
    done = run(tmp_path, write_csv(tmp_path / "t.csv", **BAD), skip_bad=True)
    assert (done.meta.rows, done.meta.sources[0].skipped) == (1, 3)


def test_a_table_without_a_good_row_is_refused(tmp_path):
    with pytest.raises(TableError, match="no row to import"):
        run(tmp_path, write_csv(tmp_path / "t.csv", ra=[None], dec=[1.0]), skip_bad=True)


def test_a_catalogue_is_replaced_only_if_asked_to_and_readers_keep_theirs(tmp_path):
    old = make_catalog(tmp_path, "stars", ra=[1.0], dec=[0.0])
    table = write_csv(tmp_path / "t.csv", ra=[2.0, 3.0], dec=[0.0, 0.0])
    with pytest.raises(TableError, match=r"there is a catalogue 'stars' already; --replace"):
        run(tmp_path, table)
    run(tmp_path, table, replace=True)
    assert len(Catalog(tmp_path / "stars")) == 2
    assert old.array("ra").tolist() == [1.0]
    assert len(list((tmp_path / "stars").iterdir())) == 2  # meta.json, and the columns of one of the two


def test_a_failed_import_leaves_what_was_there(tmp_path, monkeypatch):
    make_catalog(tmp_path, "stars", ra=[1.0], dec=[0.0])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importer, "put_in_force", full)
    with pytest.raises(OSError, match="No space"):
        run(tmp_path, write_csv(tmp_path / "t.csv", ra=[2.0], dec=[0.0]), replace=True)
    assert Catalog(tmp_path / "stars").array("ra").tolist() == [1.0]
    assert left(tmp_path) == ["stars"]


def test_what_a_killed_import_left_is_removed_by_the_next(tmp_path):
    (tmp_path / ".import-dead").mkdir()
    (tmp_path / ".import-dead" / "run-00000.npy").write_bytes(b"x")
    make_catalog(tmp_path, "stars", ra=[1.0], dec=[0.0])
    assert left(tmp_path) == ["stars"]


def test_the_same_rows_have_the_same_digest_in_any_order(tmp_path):
    one = make_catalog(tmp_path, "a", ra=[1.0, 2.0], dec=[0.0, 0.0], x=[1, 2]).meta.digest
    assert make_catalog(tmp_path, "b", ra=[2.0, 1.0], dec=[0.0, 0.0], x=[2, 1]).meta.digest == one
    assert make_catalog(tmp_path, "c", ra=[1.0, 2.0], dec=[0.0, 0.0], x=[1, 3]).meta.digest != one


def test_the_columns_are_plain_files_of_numpy(tmp_path):
    make_catalog(tmp_path, "a", ra=[1.0], dec=[2.0], x=[3])
    meta = json.loads((tmp_path / "a" / "meta.json").read_text())
    assert meta["format"] == 1
    assert np.load(tmp_path / "a" / meta["data"] / "x.npy").tolist() == [3]


def test_progress_is_told(tmp_path):
    told = []
    run(
        tmp_path, write_csv(tmp_path / "t.csv", ra=[1.0, 2.0], dec=[0.0, 0.0]), progress=lambda *what: told.append(what)
    )
    assert told == [("reading", 2, 2), ("writing", 2, 2)]


@pytest.mark.parametrize("name", ["", "a b", "../a", ".a", "a" * 65])
def test_a_name_that_is_no_name_is_refused(tmp_path, name):
    with pytest.raises(TableError, match="is no name for a catalogue"):
        run(tmp_path, tmp_path / "t.csv", name=name)


def test_a_bulk_file_of_gaia_is_taken_as_it_comes(tmp_path):
    table = tmp_path / "GaiaSource_000000-003111.csv"
    columns = [("source_id", "int64", ""), ("ra", "float64", "deg"), ("dec", "float64", "deg")]
    columns += [
        (column.name, "float64", column.unit.replace(" / yr", ".yr**-1")) for column in PRESETS["gaia-dr3"].columns
    ]
    header = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    for name, kind, unit in columns:
        header += ["# -", f"#   name: {name}", f"#   datatype: {kind}", *([f"#   unit: {unit}"] if unit else [])]
    rows = [
        "4295806720,44.99,0.0056,17.64,2.6," + ",".join(["1.25"] * 6),
        "34361129088,45.0,0.02,null,null," + ",".join(["null"] * 6),
    ]
    table.write_text("\n".join([*header, ",".join(name for name, *_ in columns), *rows]) + "\n")
    assert open_table(table).columns["pmra"].unit == "mas.yr**-1"
    run(tmp_path, table, name="gaia", wanted=Wanted(preset=PRESETS["gaia-dr3"]))
    catalog = Catalog(tmp_path / "gaia")
    found = catalog.cone(np.array([44.99]), np.array([0.0056]), 1.0)[1]
    assert catalog.take("source_id", found)[0].tolist() == [4295806720]
    assert catalog.take("pmra", found)[0].tolist() == [1.25]
    assert sum(int(catalog.take("parallax", np.arange(2))[1].sum()) for _ in range(1)) == 1


def test_every_table_that_cannot_be_opened_is_named_at_once(tmp_path):
    junk = tmp_path / "junk.fits"
    junk.write_bytes(b"no table")
    with pytest.raises(TableError) as raised:
        run(tmp_path, tmp_path / "none.csv", junk)
    assert [problem.split(":")[0] for problem in raised.value.problems] == [str(tmp_path / "none.csv"), str(junk)]
