import numpy as np
import pytest

from ampeld.catalog.meta import INDEX
from ampeld.catalog.runs import Runs


def merged(runs):
    parts = list(runs.merged())
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, [len(p[INDEX]) for p in parts]


def test_rows_come_in_order_with_equal_ones_as_they_were_added(tmp_path):
    rng = np.random.default_rng(1)
    runs = Runs(tmp_path, run_bytes=20_000, slice_rows=3000)
    keys = rng.integers(0, 500, 20_000)
    for start in range(0, 20_000, 700):
        part = keys[start : start + 700]
        runs.add({INDEX: part, "row": np.arange(start, start + len(part))})
    assert len(runs) == 20_000
    found, sizes = merged(runs)
    assert found["row"].tolist() == np.argsort(keys, kind="stable").tolist()
    assert len(list(tmp_path.glob("run-*.npy"))) > 20
    assert len(sizes) > 3
    assert max(sizes) < 6000


def test_a_thousand_equal_keys_are_no_trouble(tmp_path):
    runs = Runs(tmp_path, run_bytes=1000, slice_rows=1024)
    for _ in range(5):
        runs.add({INDEX: np.full(1000, 7)})
    assert merged(runs)[0][INDEX].tolist() == [7] * 5000


def test_texts_and_numbers_grow_as_wide_as_the_widest(tmp_path):
    runs = Runs(tmp_path, run_bytes=1)
    runs.add({INDEX: np.array([2]), "name": np.array([b"abc"]), "x": np.array([1], dtype=np.int16)})
    runs.add({INDEX: np.array([1]), "name": np.array([b"abcdef"]), "x": np.array([1 << 40])})
    assert runs.dtypes["name"] == np.dtype("S6")
    found, _ = merged(runs)
    assert found["name"].tolist() == [b"abcdef", b"abc"]
    assert found["x"].tolist() == [1 << 40, 1]


def test_nothing_comes_of_nothing(tmp_path):
    assert list(Runs(tmp_path).merged()) == []


@pytest.mark.parametrize("run_bytes", [1, 1 << 20])
def test_it_does_not_matter_how_much_fits_into_memory(tmp_path, run_bytes):
    runs = Runs(tmp_path, run_bytes=run_bytes, slice_rows=1024)
    keys = np.random.default_rng(2).integers(0, 1 << 60, 5000)
    for part in np.array_split(keys, 50):
        runs.add({INDEX: part})
    assert merged(runs)[0][INDEX].tolist() == sorted(keys.tolist())
