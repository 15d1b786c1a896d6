"""Small valid ZTF packets, made to measure: the fields that matter as a test gives them, everything else plausible."""

import io
from functools import cache

import fastavro
from support.ztf_packets import ztf_schema

from ampeld.alert.ztf import CANDIDATE, FP_HIST, PRV_CANDIDATE

_ZERO = {"double": 0.0, "float": 0.0, "int": 0, "long": 0, "string": ""}


@cache
def schema():
    return fastavro.parse_schema(ztf_schema())


def fill(fields, values):
    """Return a record with null or zero in every field that is not given."""
    return {f.name: values[f.name] if f.name in values else None if f.nullable else _ZERO[f.avro_type] for f in fields}


def detection(candid, jd, **values):
    """Return a detection as a history carries it."""
    usual = {"rcid": candid % 64, "fid": 1, "programid": 1, "pid": 1, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t"}
    return {"candid": candid, "jd": jd, "ra": 150.0, "dec": 20.0, "rb": 0.9} | usual | values


def limit(jd, diffmaglim=20.5, **values):
    """Return an upper limit as a history carries it."""
    return {"candid": None, "jd": jd, "diffmaglim": diffmaglim, "rcid": 7, "fid": 1, "programid": 1, "pid": 1} | values


def packet(name="ZTF18aaaaaab", candid=1001, jd=2458300.5, history=(), forced=(), **values):
    """Return an alert as fastavro would read it; ``values`` go into its candidate."""
    good = {
        "fwhm": 2.0, "elong": 1.1, "magdiff": 0.1, "nbad": 0, "distpsnr1": 5.0, "sgscore1": 0.1, "distpsnr2": 20.0,
        "sgscore2": 0.5, "distpsnr3": 25.0, "sgscore3": 0.5, "ssdistnr": -999.0, "drb": 0.99,
        "jdstarthist": jd - 10, "jdendhist": jd,
    }  # fmt: skip
    return {
        "schemavsn": "4.02",
        "publisher": "test",
        "objectId": name,
        "candid": candid,
        "candidate": fill(CANDIDATE, good | detection(candid, jd) | values),
        "prv_candidates": [fill(PRV_CANDIDATE, record) for record in history] or None,
        "fp_hists": [fill(FP_HIST, record) for record in forced] or None,
    }


def encode(record, writer_schema=None, codec="null"):
    """Return the record as an object container of its own."""
    out = io.BytesIO()
    fastavro.writer(out, writer_schema or schema(), [record], codec=codec, sync_marker=b"0123456789abcdef")
    return out.getvalue()


def alert(*args, **kwargs):
    """Return the bytes of `packet`."""
    return encode(packet(*args, **kwargs))
