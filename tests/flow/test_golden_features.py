"""The whole pipeline on real alerts: the features of each object's newest state are AMPEL's own, and the units' own."""

import importlib

import pytest
from fakes.measurer import InPlaceMeasurer
from fakes.source import MemorySource
from fakes.store import MemoryStore
from support.features import compare, golden, measured
from support.golden import EVERYTHING
from support.lsst_packets import alert as lsst_alert
from support.lsst_packets import frame, packet
from support.pipelines import channel, run
from support.units import CLASSES
from support.ztf import tarball

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import LSST
from ampeld.feature import LightCurve, StateUnit
from ampeld.feature.body import settle
from ampeld.feature.builtin import BUILTIN
from ampeld.feature.registry import Registry
from ampeld.flow.codes import OK
from ampeld.flow.wanted import Eligible, Wanted
from ampeld.source.schemas import Schemas
from ampeld.stages.measure import Measuring
from ampeld.stages.reader import Reader

NIGHT = "ztf_public_20180819_mod1000"
ONE_OBJECT = "ZTF18abxhyqv"
CORRECTED = ["last_significant_nondetection_*"]
"""What differs from AMPEL on purpose in its LightCurveSummary, as the unit's own tests say."""
UNITS = (
    "LightCurveSummary",
    "LCQuality",
    "FastDecliner",
    "PolynomialFit",
    "RiseDecline",
    "LightCurveFeatures",
    "YoungTransient",
)


def find(name):
    """Return the class of a built-in unit, or of one of the tests'."""
    if name in CLASSES:
        return CLASSES[name]
    cls = getattr(importlib.import_module(BUILTIN[name]), name)
    assert issubclass(cls, StateUnit)
    return cls


async def flow(source, registry, features, **options):
    """Run alerts through a pipeline; return the store behind it."""
    store = MemoryStore()
    measuring = Measuring(store, InPlaceMeasurer(registry.units))
    await run(source, store, [channel(access=EVERYTHING, features=features)], measuring=measuring, **options)
    return store


@pytest.mark.golden
@pytest.mark.parametrize("max_records", [1, 500])
async def test_the_features_of_each_newest_state_are_those_of_its_light_curve_and_ampels(max_records):
    registry = Registry(find)
    features = tuple(Wanted(registry.make(name, {})) for name in UNITS)
    # The golden states are those of each object's newest alert from its packet alone.
    single = list(tarball(ONE_OBJECT).items())
    values = [*tarball(NIGHT).values(), max(single)[1]]
    store = await flow(MemorySource({("t", 0): values}), registry, features, max_records=max_records)
    links = {(stock, state.link) for stock, o in store.objects.items() for state in o.state.values()}
    by_name = {o.name[0]: stock for stock, o in store.objects.items()}

    cases = [c for c in golden("LightCurveSummary") if c.name.endswith("/muxed") and c.object in by_name]
    assert len(cases) == 31
    for case in cases:
        stock = by_name[case.object]
        found = {k.unit: f for k, f in store.features.items() if k.stock == stock and (stock, k.link) in links}
        assert {(feature["code"], len(feature["body"])) for feature in found.values()} == {(OK, 1)}
        for one in features:
            unit = registry.units[one.recipe.key]
            assert found[one.recipe.unit]["body"][0] == measured(unit, case.light_curve), (one.recipe.unit, case.name)
        assert not compare(found["LightCurveSummary"]["body"][0], case.body, skip=CORRECTED), case.name


async def test_lsst_alerts_are_measured_in_the_same_words():
    registry = Registry(find)
    features = (
        Wanted(registry.make("Sizes", {})),
        Wanted(registry.make("Mark", {}), eligible=Eligible("all")),
        Wanted(registry.make("LightCurveSummary", {})),
    )
    reader = Reader(Decoder(2 * 2**20, LSST), Schemas())
    values = [frame(packet()), frame(lsst_alert(5, 50))]
    store = await flow(MemorySource({("t", 0): values}), registry, features, reader=reader)

    assert all(document["code"] == OK for document in store.features.values())
    summary = registry.units[features[2].recipe.key]
    for stock, document in store.objects.items():
        link = document.state["all"].link
        points = [store.points[number] for number in store.states[stock, link]["dps"]]
        known = (await store.find_points([stock]))[stock]
        curve = LightCurve("lsst", [(p["id"], known[p["id"]].known.jd, p["body"]) for p in points])
        bodies = {(key.unit, key.link): f["body"][0] for key, f in store.features.items() if key.stock == stock}
        assert bodies["Sizes", link]["ids"] == curve.id.tolist()
        assert {number for unit, number in bodies if unit == "Mark"} == set(curve.detections.id.tolist())
        assert bodies["LightCurveSummary", link] == settle(summary.measure(curve))
