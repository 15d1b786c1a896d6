"""Which topics are meant."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ampeld.errors import ConfigError
from ampeld.source.topics import check_topics, ever_meant, names_of_nights, resolve

NOW = datetime(2025, 3, 4, 1, 30, tzinfo=UTC)
TEMPLATE = "ztf_{night:%Y%m%d}_programid1"


def test_a_name_is_meant_if_it_exists_and_missed_if_not() -> None:
    found = resolve(["a", "b"], ["a", "c"], NOW)
    assert found.topics == {"a"}
    assert found.missing == {"b"}


def test_an_expression_means_what_it_matches_from_the_beginning_but_nothing_internal() -> None:
    found = resolve(["^.*ztf"], ["ztf_1", "my_ztf", "other", "__ztf_offsets"], NOW)
    assert found.topics == {"ztf_1", "my_ztf"}
    assert not found.missing


def test_a_template_means_tonight_and_the_seven_nights_before() -> None:
    names = [f"ztf_{NOW - timedelta(days=back):%Y%m%d}_programid1" for back in range(-1, 10)]
    assert resolve([TEMPLATE], names, NOW).topics == set(names[1:9])
    assert names_of_nights(TEMPLATE, NOW)[-1] == "ztf_20250304_programid1"
    assert len(names_of_nights(TEMPLATE, NOW)) == 8


def test_nights_are_those_of_utc() -> None:
    palomar = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert palomar.day == 3
    assert names_of_nights(TEMPLATE, palomar)[-1] == "ztf_20250304_programid1"


def test_a_template_without_a_format_writes_the_date() -> None:
    assert names_of_nights("n_{night}", NOW)[-1] == "n_20250304"


def test_ever_meant_is_every_night_of_a_template() -> None:
    existing = ["ztf_20180819_programid1", "ztf_20250304_programid1", "ztf_20250304_programid2", "other"]
    assert ever_meant([TEMPLATE, "other", "none"], existing) == {existing[0], existing[1], "other"}


def test_every_pattern_that_cannot_be_a_topic_is_named() -> None:
    check_topics(["ztf", "^ztf_.*", TEMPLATE, "n{night}"])
    with pytest.raises(ConfigError) as error:
        check_topics(["^(", "no topic", "ztf_{night:%Y}", "{day}", "ztf_{night"])
    assert len(error.value.problems) == 5
    with pytest.raises(ConfigError, match="no topic is named"):
        check_topics([])
