"""The pytest kit: what it asserts is true, and when it is not it says which cut, which value and which limit."""

import pytest

from ampeld.channel import Columns, Cuts, Filter
from ampeld.channel.passall import PassAll
from ampeld.errors import ConfigError
from ampeld.testing import assert_accepts, assert_no_errors, assert_pass_fraction, assert_rejects, run_channel


class Faint(Filter):
    """Everything that is faint."""

    limit: float = 19.0

    def cuts(self, a: Columns) -> Cuts:
        yield "there", a.magpsf.present
        yield "faint", a.magpsf > self.limit


class Broken(Filter):
    def cuts(self, a: Columns) -> Cuts:
        yield "bright", a.magpfs < 19


@pytest.fixture(scope="module")
def run(packets):
    return run_channel(Faint(), packets)


@pytest.fixture(scope="module")
def rejected(run, packets):
    """An object that has bright alerts only."""
    everything = run_channel(PassAll, packets)
    return next(name for name in everything.objects if name not in run.objects)


def test_a_run_knows_what_was_accepted_and_what_each_cut_did(run):
    assert run.seen == 60
    assert 0 < len(run.accepted) < 60
    assert list(run.cuts) == ["there", "faint"]
    assert run.cuts["faint"].rejected == run.cuts["faint"].alone == 60 - len(run.accepted)
    assert run.pass_fraction == len(run.accepted) / 60
    assert run.us_per_alert > 0


def test_what_is_so_can_be_asserted_by_object_and_by_candid(run, rejected):
    run.assert_accepts(run.objects)
    run.assert_accepts(run.accepted[0].candid)
    run.assert_rejects(rejected)
    run.assert_rejects([rejected], cut="faint")
    run.assert_pass_fraction(above=0, below=1)
    run.assert_no_errors()


def test_the_functions_say_the_same_as_the_methods(run, rejected):
    assert_accepts(run, run.objects)
    assert_rejects(run, rejected, cut="faint")
    assert_pass_fraction(run, below=1)
    assert_no_errors(run)
    with pytest.raises(AssertionError, match="does not accept"):
        assert_accepts(run, rejected)


def test_what_is_not_accepted_is_told_with_cut_value_and_limit(run, rejected):
    with pytest.raises(AssertionError) as error:
        run.assert_accepts([run.objects[0], rejected])
    text = str(error.value)
    assert "Faint does not accept 1 of 2" in text
    assert f"{rejected}: " in text
    assert "rejected by faint" in text
    assert "<= 19 (limit)" in text


def test_what_is_not_rejected_is_told_with_what_it_passed(run):
    with pytest.raises(AssertionError, match=r"is accepted: there: magpsf is there; faint: magpsf = .* > 19 \(limit\)"):
        run.assert_rejects(run.objects[0])


def test_another_cut_than_the_one_named_is_told(run, rejected):
    with pytest.raises(AssertionError, match="rejected by faint, and not by there: magpsf is there passes"):
        run.assert_rejects(rejected, cut="there")
    with pytest.raises(AssertionError, match="has no cut 'fiant'; did you mean 'faint'"):
        run.assert_rejects(rejected, cut="fiant")


def test_an_object_that_is_not_there_is_told_with_the_nearest_name(run):
    name = run.objects[0]
    with pytest.raises(AssertionError, match=f"none of the 60 alerts .* is it; did you mean '{name}'"):
        run.assert_rejects(name[:-1])
    with pytest.raises(AssertionError, match="none of the 60 alerts"):
        run.assert_accepts(12345)


def test_a_pass_fraction_out_of_bounds_is_told_with_the_funnel(run):
    with pytest.raises(AssertionError, match=r"is not below 0.01; rejected: there 0, faint \d+"):
        run.assert_pass_fraction(below=0.01)
    with pytest.raises(AssertionError, match="is not above 1"):
        run.assert_pass_fraction(above=1)


def test_a_fraction_of_nothing_is_no_fraction():
    with pytest.raises(AssertionError, match="asked about no alert"):
        run_channel(Faint, []).assert_pass_fraction(below=1)


def test_errors_come_with_the_traceback(packets):
    broken = run_channel(Broken, packets[:5])
    with pytest.raises(AssertionError, match=r"(?s)fails on 5 alerts.*magpfs.*did you mean 'magpsf'"):
        broken.assert_no_errors()
    with pytest.raises(AssertionError, match=r"(?s)errored.*magpfs"):
        broken.assert_accepts(next(iter(broken._alerts)))


def test_a_channel_is_found_by_name_and_by_file(channels, packets):
    by_name = run_channel("bright", packets)
    by_file = run_channel(channels / "bright.toml", packets)
    assert by_name.objects == by_file.objects != []
    assert by_name.channel.version == by_file.channel.version


def test_mistakes_in_a_channel_are_told_with_line_and_key(channels):
    (channels / "bright.toml").write_text('filter = "bright.py:Bright"\ncontact = "x"\n[params]\nmax_mga = 19.0\n')
    with pytest.raises(ConfigError, match=r"bright.toml:4: params.max_mga: .*did you mean 'max_mag'"):
        run_channel("bright", [])


async def test_it_runs_inside_a_running_loop(packets):
    assert run_channel(Faint, packets[:3]).seen == 3


def test_an_explanation_reads_the_source_again(run):
    alert = run.accepted[0]
    found = run.explain(alert.candid)
    assert (found.object, found.candid, found.accepted) == (alert.object, alert.candid, True)
    with pytest.raises(LookupError, match="none of the 60 alerts"):
        run.explain("ZTF20aaaaaaa")
