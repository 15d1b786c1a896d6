"""A light curve is drawn bright side up, with its limits."""

import msgspec
import pytest

from ampeld.feature.light_curve import LightCurve
from ampeld.story.curve import curve_of, draw, light_curve_of
from ampeld.story.figure import picture

BODIES = [
    {"jd": 2460003.0, "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1, "isdiffpos": "t", "diffmaglim": 20.5},
    {"jd": 2460001.0, "fid": 2, "diffmaglim": 20.5, "rcid": 3, "programid": 1},
    {"jd": 2460002.0, "fid": 1, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "f"},
]
POINTS = curve_of(light_curve_of("ztf", [{"_id": i, "body": body} for i, body in enumerate(BODIES)]))


def test_stored_bodies_become_points_by_time_and_losses_of_light_say_that_they_are():
    expected = [
        (2460001.0, 20.5, 0.0, "r", True, False),
        (2460002.0, 19.0, 0.1, "g", False, True),
        (2460003.0, 18.0, 0.1, "g", False, False),
    ]
    assert [msgspec.structs.astuple(point) for point in POINTS] == [
        (jd, pytest.approx(mag), pytest.approx(err), *rest) for jd, mag, err, *rest in expected
    ]


def test_a_negative_flux_of_lsst_has_the_magnitude_of_its_size():
    body = {"midpointMjdTai": 60900.0, "psfFlux": -1000.0, "psfFluxErr": 100.0, "band": "g"}
    (point,) = curve_of(LightCurve("lsst", [(1, 2460900.5, body)]))
    assert point.negative
    assert (point.mag, point.err) == (pytest.approx(23.9), pytest.approx(0.1086, abs=1e-4))


def test_a_loss_of_light_is_a_ring_and_the_key_says_so():
    text = draw(POINTS, "SN").plain
    assert text.count("○") == 2
    assert "○ negative" in text
    assert "○" not in draw([point for point in POINTS if not point.negative], "SN").plain


def test_in_the_terminal_a_bright_detection_stands_above_a_faint_limit():
    lines = draw(POINTS, "SN", width=40, height=10).plain.splitlines()
    assert lines[0] == "SN"
    disc = next(i for i, line in enumerate(lines) if "●" in line)
    limit = next(i for i, line in enumerate(lines) if "v" in line)
    assert disc < limit
    assert lines[disc].index("●") > lines[limit].index("v")
    assert max(map(len, lines)) <= 40 + 10


def test_one_point_alone_can_be_drawn():
    assert "●" in draw(POINTS[1:], "one").plain


def test_no_points_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        draw([], "none")


def test_the_picture_is_a_png(tmp_path):
    path = tmp_path / "new" / "sn.png"
    picture(POINTS, "SN", path)
    assert path.read_bytes().startswith(b"\x89PNG")
