"""A model that is exchanged on disk is noticed when channels are loaded anew, and only then is anything read."""

from ampeld.catalog.directory import Found
from ampeld.daemon.feature_resources import LocalResources
from ampeld.daemon.features_changes import changed_files
from ampeld.flow.trace import Trace


def trace(resources):
    return Trace(1, "Classifier", "1", "d", {}, 1, "3.11", {}, resources)


def test_only_what_holds_something_else_by_now_has_changed(tmp_path):
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "x.dat").write_text("1")
    opened = LocalResources(Found({}, {}), tmp_path)
    opened.read("a.onnx")
    opened.read("b.onnx")
    opened.path("model")
    traces = [trace(dict(opened.digests)), trace({"gaia": "a catalogue's own"})]
    assert changed_files(traces, tmp_path) == {}
    (tmp_path / "b.onnx").write_bytes(b"another")
    (tmp_path / "model" / "x.dat").write_text("2")
    assert changed_files(traces, tmp_path).keys() == {"b.onnx", "model"}


def test_a_file_that_is_gone_is_left_to_who_loads_its_channel(tmp_path):
    assert changed_files([trace({"a.onnx": "x"})], tmp_path) == {}
