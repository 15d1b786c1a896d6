"""Catalogues and files for units, and the digest of everything that was asked for."""

import hashlib
from pathlib import Path

import pytest
from support.catalogs import make_catalog

from ampeld.catalog.directory import Found, open_catalogs
from ampeld.daemon.feature_resources import LocalResources, ResourceError


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "channels" / "models").mkdir(parents=True)
    (tmp_path / "channels" / "model.onnx").write_bytes(b"\x00\xffmodel")
    (tmp_path / "channels" / "models" / "a.dat").write_text("a")
    (tmp_path / "secret").write_text("s")
    return tmp_path


@pytest.fixture
def resources(directory):
    make_catalog(directory / "catalogs", "gaia", ra=[1.0], dec=[2.0], mag=[3.0])
    (directory / "catalogs" / "broken").mkdir()
    (directory / "catalogs" / "broken" / "meta.json").write_text("{}")
    found = open_catalogs(directory / "catalogs")
    return LocalResources(found, directory / "channels", {"notes.txt": "kept text"})


def test_a_file_beside_the_channel_is_read_as_bytes_and_leaves_its_digest(resources):
    assert resources.read("model.onnx") == b"\x00\xffmodel"
    assert resources.digests == {"model.onnx": hashlib.blake2b(b"\x00\xffmodel", digest_size=16).hexdigest()}


def test_a_file_that_is_known_as_text_need_not_lie_on_disk(resources):
    assert resources.read("notes.txt") == b"kept text"
    assert resources.problems([("file", "notes.txt")]) == []


def test_a_file_elsewhere_is_meant_by_its_whole_path(resources, directory):
    assert resources.read(str(directory / "secret")) == b"s"
    with pytest.raises(ResourceError, match="leads out of"):
        resources.read("../secret")


def test_the_digest_of_a_directory_changes_with_names_and_contents(resources, directory):
    digests = set()
    for name, text in (("a.dat", "a"), ("a.dat", "b"), ("b.dat", "b")):
        (directory / "channels" / "models" / name).write_text(text)
        assert resources.path("models") == str(directory / "channels" / "models")
        digests.add(resources.digests["models"])
    assert len(digests) == 3
    assert resources.path("model.onnx").endswith("model.onnx")


def test_a_catalogue_is_searched_at_one_position(resources):
    source = resources.catalog("gaia")
    (row,) = source.cone(1.0, 2.0, 1.0)
    assert row == {"dist_arcsec": pytest.approx(0, abs=1e-6), "ra": 1.0, "dec": 2.0, "mag": 3.0}
    assert source.cone(1.0, 3.0, 1.0) == []
    assert len(resources.digests["gaia"]) == 16


@pytest.mark.parametrize(
    ("need", "message"),
    [
        (("catalog", "gaja"), "did you mean 'gaia'"),
        (("catalog", "broken"), "cannot be used"),
        (("file", "model.onx"), "did you mean 'model.onnx'"),
        (("file", "models"), "is a directory"),
        (("path", "nowhere/at/all"), "there is no file"),
        (("file", ""), "no name"),
        (("file", "a\0b"), "no name"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_read(resources, need, message):
    (problem,) = resources.problems([need])
    assert message in problem
    assert resources.digests == {}
    with pytest.raises(ResourceError, match=message):
        {"catalog": resources.catalog, "file": resources.read, "path": resources.path}[need[0]](need[1])


def test_a_column_that_a_catalogue_lacks_is_told_and_a_catalogue_that_lacks_once():
    found = Found({}, {})
    assert len(LocalResources(found, Path()).problems([("catalog", "gaia"), ("column", "gaia.mag")])) == 1


def test_a_column_is_named_with_what_may_be_meant(resources):
    (problem,) = resources.problems([("column", "gaia.mga")])
    assert problem == "the catalogue 'gaia' has no column 'mga'; did you mean 'mag'?"


def test_what_is_there_is_no_problem(resources):
    assert (
        resources.problems([("catalog", "gaia"), ("column", "gaia.mag"), ("file", "model.onnx"), ("path", "models")])
        == []
    )
