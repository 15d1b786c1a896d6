"""What the shipped channels for transients find in a simulated night."""

import pytest

from ampeld.testing import assert_no_errors, assert_pass_fraction, assert_rejects, run_channel

TRANSIENTS = ("sn_ia", "sn_ii", "fast")
NEVER = ("variable", "asteroid", "bogus")
SHARES = {"decent": 0.7, "rapid": 0.1, "bright_transients": 0.15}  # rapid wants the young ones, the other the bright


@pytest.mark.parametrize("name", [*SHARES, "nuclear"])
def test_no_star_asteroid_or_artefact_is_taken(name, night, channels):
    run = run_channel(channels / f"{name}.toml", night.packets)
    assert_no_errors(run)
    assert_rejects(run, night.of(*NEVER))
    assert_pass_fraction(run, below=0.1)
    assert run.seen == len(night.packets)


@pytest.mark.parametrize("name", SHARES)
def test_transients_are_found(name, night, channels):
    run = run_channel(channels / f"{name}.toml", night.packets)
    found, injected = night.of(*TRANSIENTS) & set(run.objects), night.of(*TRANSIENTS)
    assert len(found) >= SHARES[name] * len(injected)


@pytest.mark.parametrize("name", SHARES)
def test_few_old_nuclei_are_taken_for_transients(name, night, channels):
    run = run_channel(channels / f"{name}.toml", night.packets)
    assert len(night.of("agn") & set(run.objects)) <= 0.2 * len(night.of("agn"))


def test_the_channel_of_the_tests_takes_everything(night, channels):
    run = run_channel(channels.parent / "tests" / "channels" / "all.toml", night.packets)
    assert len(run.accepted) == len(night.packets)


def test_rapid_says_how_fast_a_transient_rises_and_bypasses_what_it_knows(night, channels):
    run = run_channel(channels / "rapid.toml", night.packets)
    assert {alert.group for alert in run.accepted} <= {1, 2}
    assert run.channel.on_known == "bypass"


def test_the_channel_of_bright_transients_rejects_with_codes(night, channels):
    run = run_channel(channels / "bright_transients.toml", night.packets)
    assert [name.split()[-1] for name in run.cuts] == [f"(-{code})" for code in range(1, 13)]
    assert run.cuts["isdiffpos (-3)"].rejected > 0
