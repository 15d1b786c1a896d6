"""A light curve is drawn bright side up, with its limits."""

import pytest

from ampeld.story.curve import CurvePoint, curve_of, draw, light_curve_of
from ampeld.story.figure import picture

BODIES = [
    {"jd": 2460003.0, "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1, "isdiffpos": "t", "diffmaglim": 20.5},
    {"jd": 2460001.0, "fid": 2, "diffmaglim": 20.5, "rcid": 3, "programid": 1},
    {"jd": 2460002.0, "fid": 1, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "f"},
]
POINTS = curve_of(light_curve_of("ztf", [{"_id": i, "body": body} for i, body in enumerate(BODIES)]))


def test_stored_bodies_become_points_by_time_without_losses_of_light():
    assert [
        CurvePoint(2460001.0, 20.5, 0.0, "r", limit=True),
        CurvePoint(2460003.0, 18.0, 0.1, "g", limit=False),
    ] == POINTS


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
