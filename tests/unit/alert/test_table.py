"""The columns of a batch against the packets they come from, in both ways in which they are made."""

import gc
import math
import weakref

import numpy as np
import pytest
from support import tables
from support.ztf import real_alerts
from support.ztf_packets import CANDID, JD, OBJECT, candidate, detection, forced, limit, packet

from ampeld.alert.decode import Decoder
from ampeld.alert.identity import stock_of
from ampeld.alert.table import names
from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE


@pytest.fixture(params=[tables.of_packets, tables.of_bytes], ids=["packets", "kernel"])
def table(request):
    return request.param


def plain(column):
    return column.values.tolist(), column.missing.tolist()


def test_the_columns_that_every_batch_needs(table):
    found = table(packet(), packet(candidate=candidate(candid=5, programid=2)))
    assert len(found) == 2
    assert found.candid.tolist() == [CANDID, 5]
    assert found.programid.tolist() == [1, 2]
    assert found.jd.tolist() == [JD, JD]
    assert found.object == [OBJECT, OBJECT]
    assert found.stock.tolist() == [stock_of(OBJECT)] * 2
    assert len(set(found.schema)) == 1
    assert len(found.schema[0]) == 16
    assert found.candid.dtype == found.stock.dtype == np.int64


def test_the_largest_candid_keeps_its_digits(table):
    assert table(packet(candidate=candidate(candid=2**63 - 1))).candid.tolist() == [2**63 - 1]


def test_missing_numbers_are_nan_and_masked(table):
    found = table(*(packet(candidate=candidate(rb=value)) for value in (0.5, None, math.nan, -math.inf)))
    values, missing = plain(found.scalar("rb"))
    assert values[0] == 0.5
    assert all(math.isnan(value) for value in values[1:])
    assert missing == [False, True, True, True]


def test_missing_integers_are_zero_and_masked_and_missing_texts_are_none(table):
    found = table(packet(candidate=candidate(nbad=3, ssnamenr="433")), packet(candidate=candidate()))
    assert plain(found.scalar("nbad")) == ([3, 0], [False, True])
    assert plain(found.scalar("ssnamenr")) == (["433", None], [False, True])


def test_a_field_that_a_schema_lacks_is_missing_and_one_that_nobody_knows_is_a_key_error(table):
    old = candidate()
    del old["drb"]
    found = table(packet(candidate=old))
    assert found.scalar("drb").missing.tolist() == [True]
    for ask in (
        lambda: found.scalar("dbr"),
        lambda: found.ragged("limits", "drb"),
        lambda: found.ragged("flips", "jd"),
    ):
        with pytest.raises(KeyError):
            ask()


def test_detections_are_the_candidate_and_its_history_by_jd(table):
    history = [detection(jd=JD - 1, magpsf=2.0), limit(), detection(jd=JD - 9, magpsf=1.0), limit(diffmaglim=-1.0)]
    found = table(packet(prv_candidates=history, candidate=candidate(magpsf=3.0)), packet(prv_candidates=None))
    ragged = found.ragged("detections", "magpsf")
    assert ragged.values.tolist() == [1.0, 2.0, 3.0, 18.5]
    assert ragged.offsets.tolist() == found.offsets("detections").tolist() == [0, 3, 4]
    assert [point["magpsf"] for point in found.detections(0)] == [1.0, 2.0, 3.0]


def test_points_of_one_jd_keep_their_order_the_candidate_first(table):
    history = [detection(jd=JD, magpsf=2.0), detection(jd=JD, magpsf=1.0)]
    found = table(packet(prv_candidates=history, candidate=candidate(magpsf=3.0)))
    assert found.ragged("detections", "magpsf").values.tolist() == [3.0, 2.0, 1.0]


def test_limits_are_those_that_count(table):
    history = [limit(jd=JD - 1), detection(), limit(jd=JD - 2), limit(diffmaglim=None), limit(diffmaglim=-3.0)]
    found = table(packet(prv_candidates=history), packet(prv_candidates=[]))
    assert found.ragged("limits", "jd").values.tolist() == [JD - 2, JD - 1]
    assert found.offsets("limits").tolist() == [0, 2, 2]
    assert [point["jd"] for point in found.limits(0)] == [JD - 2, JD - 1]
    assert found.limits(1) == []


def test_forced_photometry_is_a_column_and_never_a_point(table):
    found = table(packet(fp_hists=[forced(jd=JD, forcediffimflux=2.0), forced(jd=JD - 1, forcediffimflux=None)]))
    ragged = found.ragged("fp_hists", "forcediffimflux")
    assert ragged.missing.tolist() == [True, False]
    assert ragged.values[1] == 2.0
    assert len(found.heads(0)) == 3


def test_a_history_lacks_what_only_a_candidate_has(table):
    found = table(packet(candidate=candidate(drb=0.5)))
    assert found.ragged("detections", "drb").missing.tolist() == [True, False]


def test_texts_of_a_history_are_objects(table):
    found = table(packet())
    assert found.ragged("detections", "isdiffpos").values.tolist() == ["t", "t"]


def test_columns_are_made_once_and_read_only(table):
    found = table(packet())
    column, ragged = found.scalar("rb"), found.ragged("limits", "jd")
    assert found.scalar("rb") is column
    assert found.ragged("limits", "jd") is ragged
    for array in (column.values, column.missing, ragged.values, ragged.missing, ragged.offsets, found.stock):
        assert not array.flags.writeable


def test_a_packet_shows_what_is_not_finite_as_missing(table):
    found = table(packet(candidate=candidate(rb=math.nan), prv_candidates=[detection(rb=math.inf)]))
    assert found.packet(0)["candidate"]["rb"] is None
    assert [point["rb"] for point in found.detections(0)] == [None, None]
    assert [found.body(0, head.index)["rb"] for head in found.heads(0)] == [None, None]


def test_rows_can_be_selected_in_any_order(table):
    found = table(*(packet(candidate=candidate(candid=number)) for number in (1, 2, 3)))
    chosen = found.select(np.array([2, 0]))
    assert chosen.candid.tolist() == [3, 1]
    assert chosen.object == [OBJECT, OBJECT]
    assert len(found.select([])) == 0


def test_the_columns_of_no_alerts_are_empty(table):
    found = table()
    assert found.scalar("rb").values.shape == found.candid.shape == (0,)
    assert found.offsets("detections").tolist() == [0]
    assert found.ragged("fp_hists", "jd").values.shape == (0,)


def test_known_names_are_listed_by_part():
    assert names("candidate") == names("detections") == tuple(field.name for field in CANDIDATE)
    assert names("limits") == tuple(field.name for field in PRV_CANDIDATE)
    assert names("fp_hists") == tuple(field.name for field in FP_HIST)


def _same(value, missing, found):
    return found is None if missing else value == found


@pytest.mark.golden
def test_every_column_of_the_real_alerts_equals_the_decoded_values():
    found = Decoder(10_000_000).decode(real_alerts()).table
    for name in names("candidate"):
        column = found.scalar(name)
        for row in range(len(found)):
            assert _same(column.values[row], column.missing[row], found.packet(row)["candidate"].get(name))
    for kind, points in (("detections", found.detections), ("limits", found.limits)):
        for name in ("jd", "rcid", "magpsf", "diffmaglim", "pid", "isdiffpos", "rbversion"):
            ragged = found.ragged(kind, name)
            flat = [point.get(name) for row in range(len(found)) for point in points(row)]
            assert len(flat) == len(ragged.values) == ragged.offsets[-1]
            assert all(_same(*pair) for pair in zip(ragged.values, ragged.missing, flat, strict=True))


FEW = ("jd", "magpsf", "isdiffpos", "diffmaglim", "rcid", "fid", "programid", "drb", "never")


def _few(body):
    return {name: body[name] for name in FEW if name in body}


def test_some_fields_of_points_are_those_of_their_bodies(table):
    found = table(packet(prv_candidates=[detection(), limit(), detection(candid=7, rb=math.nan)]), packet())
    for row in range(len(found)):
        indexes = [head.index for head in found.heads(row)]
        assert [*map(_few, found.fields(row, indexes, FEW))] == [_few(found.body(row, i)) for i in indexes]


@pytest.mark.golden
def test_some_fields_of_the_points_of_real_alerts_are_those_of_their_bodies():
    found = Decoder(10_000_000).decode(real_alerts()).table
    for row in range(len(found)):
        indexes = [head.index for head in found.heads(row)][::-2]
        assert found.fields(row, indexes, FEW) == [_few(found.body(row, i)) for i in indexes]


def test_a_batch_that_nobody_holds_is_gone_at_once_and_not_when_cycles_are_looked_for(table):
    found = table(packet(), packet(candidate=candidate(candid=5)))
    for head in found.heads(1):
        found.body(1, head.index)
        found.packed_body(1, head.index)
    found.packet(0)
    gone = weakref.ref(found)
    gc.disable()
    try:
        del found
        assert gone() is None
    finally:
        gc.enable()
