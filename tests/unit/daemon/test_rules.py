"""Addresses, topics, and settings that need each other."""

from pathlib import Path

import pytest

from ampeld.daemon.rules import broken_rules, split_address
from ampeld.daemon.secret import Secret
from ampeld.daemon.sections import SecuritySection, SourceSection, StatusSection, StoreSection


def broken(
    source: SourceSection | None = None, store: StoreSection | None = None, status: StatusSection | None = None
) -> list[tuple[object, ...]]:
    rules = broken_rules(source or SourceSection(), store or StoreSection(), status or StatusSection())
    return [keys for keys, _ in rules]


def test_the_defaults_keep_every_rule() -> None:
    assert broken() == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host:1", ("host", 1)),
        ("1.2.3.4:65535", ("1.2.3.4", 65535)),
        ("[::1]:9092", ("::1", 9092)),
        ("host", None),
        ("host:65536", None),
        ("host:", None),
        (":1", None),
        ("kafka://host:1", None),
        ("::1:9092", None),
        ("a b:1", None),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int] | None) -> None:
    assert split_address(text) == address


@pytest.mark.parametrize(
    "topic", ["ztf_20250801_programid1", "^ztf_.*", "ztf_{night:%Y%m%d}_programid1", "{night:%Y-%m-%d}"]
)
def test_a_topic_is_a_name_a_pattern_or_a_template(topic: str) -> None:
    assert broken(SourceSection(topics=[topic])) == []


@pytest.mark.parametrize(
    "topic",
    ["a b", "ä", "^(", "x{night}", "x{night:%Y}", "{night:%Y%m%d}{other}", "{night", "{night.x}", "{night:%Y%m%d} "],
)
def test_what_cannot_be_a_topic_is_named(topic: str) -> None:
    assert broken(SourceSection(topics=["fine", topic])) == [("source", "topics", 1)]


def security(**values: object) -> list[object]:
    return [keys[-1] for keys in broken(SourceSection(security=SecuritySection(**values)))]  # type: ignore[arg-type]


def test_a_password_needs_sasl_and_sasl_a_password(tmp_path: Path) -> None:
    me = {"username": Secret("me"), "password": Secret("x")}
    assert security(protocol="SASL_SSL") == ["username", "password"]
    assert security(protocol="SASL_PLAINTEXT", **me) == []
    assert security(protocol="SSL", **me) == ["protocol"]


def test_certificates_need_tls_and_each_other(tmp_path: Path) -> None:
    file = tmp_path / "x.pem"
    file.touch()
    assert security(protocol="SSL", ca_file=file) == []
    assert security(protocol="SSL", ca_file=tmp_path / "absent") == ["ca_file"]
    assert security(protocol="PLAINTEXT", ca_file=file) == ["ca_file"]
    assert security(protocol="SSL", cert_file=file) == ["key_file"]
    assert security(protocol="SSL", key_file=file) == ["cert_file"]
    assert security(protocol="SSL", key_file=file, cert_file=file) == []


def test_a_store_is_a_mongodb_uri_and_the_message_does_not_show_it() -> None:
    rules = list(broken_rules(SourceSection(), StoreSection(uri=Secret("hunter2")), StatusSection()))
    assert [keys for keys, _ in rules] == [("store", "uri")]
    assert "hunter2" not in rules[0][1]


@pytest.mark.parametrize("listen", ["", "localhost:1", "127.0.0.9:1", "[::1]:1", "unix:/run/x.sock"])
def test_the_status_page_listens_to_this_host(listen: str) -> None:
    assert broken(status=StatusSection(listen=listen)) == []


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "[::]:1", "example.org:1", "9600", "unix:", "unix:/" + "x" * 107])
def test_another_address_is_refused(listen: str) -> None:
    assert broken(status=StatusSection(listen=listen)) == [("status", "listen")]


def test_other_hosts_may_be_allowed() -> None:
    assert broken(status=StatusSection(listen="0.0.0.0:1", allow_remote=True)) == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://host",
        "mongodb://host:port",
        "mongodb://u:p/w@host",
        "mongodb://u:p%w@host",
        "mongodb://",
        "mongodb+srv://",
    ],
)
def test_a_uri_that_the_driver_would_refuse_is_named_without_showing_it(uri: str) -> None:
    store = StoreSection(uri=Secret(uri))
    ((keys, message),) = broken_rules(SourceSection(), store, StatusSection())
    assert keys == ("store", "uri")
    assert uri.partition("://")[2] not in message or uri.endswith("://")


@pytest.mark.parametrize(
    "uri", ["mongodb://a,b:1/?replicaSet=x", "mongodb://u:p%40@[::1]:27017/db", "mongodb+srv://c.org"]
)
def test_a_uri_of_mongodb_is_taken(uri: str) -> None:
    assert broken(store=StoreSection(uri=Secret(uri))) == []


def test_the_topics_of_one_survey_are_not_read_for_another() -> None:
    assert broken(SourceSection(survey="lsst")) == [("source", "topics", 0)]
    assert broken(SourceSection(survey="lsst", topics=["lsst-alerts", "ztf_20250801_programid1"])) == [
        ("source", "topics", 1)
    ]
    assert broken(SourceSection(survey="lsst", topics=["lsst-alerts"])) == []


@pytest.mark.parametrize(
    "url", ["http://localhost:8081", "https://registry.example.org/apis/ccompat/v7/", "http://[::1]:1"]
)
def test_a_registry_is_an_address_of_the_web(url: str) -> None:
    assert broken(SourceSection(schema_registry=url)) == []


@pytest.mark.parametrize(
    "url",
    ["registry:8081", "ftp://registry", "https://", "http://h:port", "http://h:99999", "http://h/?a=b", "http://h/#x"],
)
def test_what_is_no_address_of_a_registry_is_named(url: str) -> None:
    assert broken(SourceSection(schema_registry=url)) == [("source", "schema_registry")]


def test_a_password_does_not_stand_in_the_address_of_the_registry() -> None:
    section = SourceSection(schema_registry="https://me:secret-word@registry.example.org")
    ((keys, message),) = broken_rules(section, StoreSection(), StatusSection())
    assert keys == ("source", "schema_registry")
    assert "secret-word" not in message
    assert "schema_registry_password" in message


def test_a_password_for_no_registry_is_named() -> None:
    assert broken(SourceSection(schema_registry_password=Secret("x"))) == [("source", "schema_registry")]
