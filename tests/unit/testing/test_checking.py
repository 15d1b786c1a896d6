"""A channel that loads may still fail: that shows itself on some simulated alerts, before the night."""

import pytest

from ampeld.daemon.channels import load_channels
from ampeld.daemon.settings import Settings
from ampeld.testing.checking import try_channels


def checked(directory):
    return try_channels(load_channels(directory), Settings())


def test_a_channel_in_order_tells_its_cuts(channels):
    (found,) = checked(channels)
    assert (found.channel, found.cuts, found.problems) == ("bright", ["real", "bright"], [])


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("a.rb >=", "a.rbb >=", "alerts have no field 'rbb'; did you mean 'rb'?"),
        ('yield "bright"', 'yield "real"', "two cuts are named 'real'"),
        ("a.mag <=", "18 < a.mag <=", "a condition holds for each alert of a batch and is not one truth value"),
    ],
)
def test_a_mistake_in_the_code_of_a_filter_is_found(channels, before, after, problem):
    module = channels / "bright.py"
    module.write_text(module.read_text().replace(before, after))
    (found,) = checked(channels)
    (text,) = found.problems
    assert text.startswith(f"{channels / 'bright.toml'}: its filter fails on ")
    assert " of 30 simulated alerts\n" in text
    assert problem in text


def test_a_mistake_in_the_code_is_named_by_the_authors_file_and_line_before_the_traceback(channels):
    module = channels / "bright.py"
    lines = module.read_text().replace("a.rb >=", "a.rbb >=").splitlines()
    module.write_text("\n".join(lines))
    line = next(number for number, text in enumerate(lines, 1) if "a.rbb" in text)
    (found,) = checked(channels)
    named = found.problems[0].splitlines()[1].strip()
    assert named == f"{module}:{line}: AttributeError: alerts have no field 'rbb'; did you mean 'rb'?"


def test_an_unknown_field_of_lsst_is_found_without_alerts(channels):
    path = channels / "bright.toml"
    path.write_text('survey = "lsst"\n' + path.read_text())
    (found,) = checked(channels)
    assert "'rb'" in found.problems[0]
