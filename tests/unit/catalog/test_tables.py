"""Each format is read to the same values; the tables are written by astropy and pyarrow."""

import bz2
import gzip
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn
from astropy.table import Table as AstropyTable
from pyarrow import parquet

from ampeld.catalog import table_csv
from ampeld.catalog.errors import TableError
from ampeld.catalog.table import open_table


def whole(path, *names):
    table = open_table(path)
    parts = list(table.chunks(names or list(table.columns)))
    found = {}
    for name in names or table.columns:
        values = np.concatenate([part[name].values for part in parts])
        missing = np.concatenate(
            [np.zeros(len(p[name].values), bool) if p[name].missing is None else p[name].missing for p in parts]
        )
        found[name] = [None if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]
    assert sum(len(part[name].values) for part in parts) == table.rows
    return table, found


def stars():
    table = AstropyTable(
        {
            "id": np.array([1, 2**62, 3]),
            "ra": np.array([10.0, np.nan, 359.5]),
            "mag": np.array([15.5, 16.25, np.nan], dtype=np.float32),
            "n": MaskedColumn([1, 2, 3], mask=[False, True, False], dtype=np.int16),
            "good": np.array([True, False, True]),
            "name": np.array(["Vega", "", "M 31 é"]),
        }
    )
    table["ra"].unit = "deg"
    table["mag"].unit = "mag"
    table["mag"].description = "mean G"
    return table


def check(path, said=True, nulls=True):
    table, found = whole(path)
    assert found["id"] == [1, 2**62, 3]
    assert found["ra"][::2] == [10.0, 359.5]
    assert np.isnan(found["ra"][1])
    assert found["mag"][:2] == [15.5, 16.25]
    assert np.isnan(found["mag"][2])
    assert found["n"] == [1, None if nulls else 2, 3]
    assert [bool(value) for value in found["good"]] == [True, False, True]
    assert found["name"] == [b"Vega", None, "M 31 é".encode()]
    assert [column.kind for column in table.columns.values()] == ["int", "float", "float", "int", "bool", "text"]
    if said:
        assert table.columns["ra"].unit == "deg"
        assert table.columns["mag"].description == "mean G"


def test_fits_tables_are_read(tmp_path):
    path = tmp_path / "stars.fits"
    table = stars()
    table["name"] = np.array([name.encode("ascii", "replace") for name in table["name"]])
    table.write(path)
    found = whole(path)[1]
    assert found["id"] == [1, 2**62, 3]
    assert found["n"] == [1, None, 3]
    assert found["good"] == [True, False, True]
    assert found["name"] == [b"Vega", None, b"M 31 ?"]
    columns = open_table(path).columns
    assert [column.kind for column in columns.values()] == ["int", "float", "float", "int", "bool", "text"]
    assert columns["ra"].unit == "deg"


def test_parquet_tables_are_read(tmp_path):
    table = stars()
    table["n"] = table["n"].filled(2)  # of masked columns astropy makes two
    table.write(tmp_path / "stars.parquet")
    check(tmp_path / "stars.parquet", nulls=False)


@pytest.mark.parametrize("delimiter", [",", " "])
def test_ecsv_tables_are_read(tmp_path, delimiter):
    stars().write(tmp_path / "stars.ecsv", delimiter=delimiter)
    check(tmp_path / "stars.ecsv")


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t"), ("csv", ";"), ("csv", "|")])
def test_csv_tables_are_read_whatever_separates_their_columns(tmp_path, suffix, delimiter):
    path = tmp_path / f"stars.{suffix}"
    stars().write(path, format="ascii.csv", delimiter=delimiter)
    check(path, said=False)


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_packed_files_are_read(tmp_path, suffix, pack):
    stars().write(tmp_path / "stars.csv")
    (tmp_path / f"stars.csv.{suffix}").write_bytes(pack((tmp_path / "stars.csv").read_bytes()))
    check(tmp_path / f"stars.csv.{suffix}", said=False)


def test_a_packed_fits_file_is_read(tmp_path):
    AstropyTable({"ra": [1.0]}).write(tmp_path / "stars.fits.gz")
    assert whole(tmp_path / "stars.fits.gz")[1] == {"ra": [1.0]}


def test_a_column_of_csv_is_as_wide_as_its_widest_value(tmp_path, monkeypatch):
    monkeypatch.setattr(table_csv, "_BLOCK_BYTES", 200)
    path = tmp_path / "late.csv"
    rows = [f"{i},,{i},,true" for i in range(100)] + ["1.5,2,x,3.5,maybe"]
    path.write_text("a,b,c,d,e\n" + "\n".join(rows) + "\n")
    table, found = whole(path)
    assert table.rows == 101
    assert [column.kind for column in table.columns.values()] == ["float", "int", "text", "float", "text"]
    assert found["a"][-2:] == [99.0, 1.5]
    assert found["b"][-2:] == [None, 2]
    assert found["c"][-2:] == [b"99", b"x"]
    assert found["d"][-1] == 3.5
    assert found["e"][-2:] == [b"true", b"maybe"]


def test_scaled_and_unsigned_columns_of_fits_have_their_true_values(tmp_path):
    columns = [
        fits.Column("u", "J", array=np.array([1, 2**31 + 5], dtype=np.uint32), bzero=2**31),
        fits.Column("s", "I", array=np.array([1, 3])),
        fits.Column("v", "3E", array=np.zeros((2, 3))),
        fits.Column("p", "PE()", array=np.array([[1.0], [1.0, 2.0]], dtype=object)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "odd.fits")
    fits.setval(tmp_path / "odd.fits", "TSCAL2", value=0.5, ext=1)
    fits.setval(tmp_path / "odd.fits", "TCOMM2", value="half of it", ext=1)
    table, found = whole(tmp_path / "odd.fits", "u", "s")
    assert found == {"u": [1, 2**31 + 5], "s": [0.5, 1.5]}
    assert table.columns["s"].kind == "float"
    assert table.columns["s"].description == "half of it"
    assert table.columns["v"].kind is None
    assert table.columns["p"].kind is None


def test_arrow_types_become_what_a_catalogue_can_hold(tmp_path):
    table = pa.table(
        {
            "half": pa.array([1.5, None], pa.float16()),
            "word": pa.array(["a", None]).dictionary_encode(),
            "day": pa.array([date(2026, 11, 23), None]),
            "n": pa.array([None, 2], pa.uint8()),
            "good": pa.array([None, True]),
            "list": pa.array([[1], []]),
        }
    )
    parquet.write_table(table, tmp_path / "odd.parquet")
    table, found = whole(tmp_path / "odd.parquet", "half", "word", "day", "n", "good")
    assert found["half"][0] == 1.5
    assert np.isnan(found["half"][1])
    assert found["n"] == [None, 2]
    assert found["good"] == [None, True]
    assert found["word"] == [b"a", None]
    assert found["day"] == [b"2026-11-23", None]
    assert table.columns["list"].kind is None


def test_units_may_stand_in_the_fields_of_parquet(tmp_path):
    field = pa.field("ra", pa.float64(), metadata={"unit": "rad", "description": "where"})
    parquet.write_table(pa.table([[1.0]], schema=pa.schema([field])), tmp_path / "a.parquet")
    assert open_table(tmp_path / "a.parquet").columns["ra"].unit == "rad"
    assert open_table(tmp_path / "a.parquet").columns["ra"].description == "where"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"", "is no table that can be imported"),
        ("a", b"", "is no table that can be imported"),
        ("a.fits", b"no", "cannot be read as FITS"),
        ("a.parquet", b"no", "cannot be read as Parquet"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"a,a\n1,2\n", "two columns are named 'a'"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read as CSV.*Expected 2 columns, got 3"),
        ("a.csv", b"a,b\n\xff\xfe,2\n", "cannot be read as CSV"),
        ("a.csv.gz", b"no", "cannot be read as CSV"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=f"{name}: {message}"):
        open_table(tmp_path / name)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TableError, match="there is no such file"):
        open_table(tmp_path / "a.csv")


def test_a_fits_file_of_images_is_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "image.fits")
    with pytest.raises(TableError, match="has no table, only images"):
        open_table(tmp_path / "image.fits")
