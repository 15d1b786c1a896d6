"""Settings come from the command line over the environment over the file; every mistake is named at once."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ampeld.daemon.settings import Settings, config_hash, load_settings
from ampeld.errors import ConfigError
from ampeld.store.documents import ChannelVersion

OPEN = "is open to other hosts; if that is meant, set status.allow_remote = true"
PROJECT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr("ampeld.daemon.settings.SEARCHED", (Path("ampeld.toml"),))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "etc" / "ampeld.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def load(path: Path | None = None, *sets: str, **environ: str) -> Settings:
    return load_settings(path, sets, environ)


def problems(path: Path | None = None, *sets: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, *sets, **environ)
    return caught.value.problems


def test_the_shipped_file_holds_the_defaults(tmp_path: Path) -> None:
    shipped = write(tmp_path, (PROJECT / "ampeld.toml").read_text())
    settings = load(shipped)
    assert settings == load(write(tmp_path, ""))


def test_without_a_file_the_defaults_hold() -> None:
    source = load().source
    assert msgspec.structs.replace(source, schema_directory=Path("var/schemas")) == Settings().source


def test_the_file_in_the_working_directory_is_found() -> None:
    Path("ampeld.toml").write_text("[source]\ngroup = 'found'\n")
    assert load().source.group == "found"


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    assert problems(tmp_path / "absent.toml") == [f"{tmp_path}/absent.toml: cannot be read: No such file or directory"]


def test_command_line_goes_before_environment_before_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[source]\ngroup = 'file'\nmax_batch = 1\n[store]\ndatabase = 'file'\n")
    settings = load(path, "source.group=set", AMPELD_SOURCE__GROUP="env", AMPELD_STORE__DATABASE="env")
    assert (settings.source.group, settings.store.database, settings.source.max_batch) == ("set", "env", 1)


def test_the_last_option_for_a_key_wins() -> None:
    assert load(None, "source.group=a", "source.group=b").source.group == "b"


def test_values_are_read_as_json_else_as_text() -> None:
    settings = load(
        None,
        'source.topics=["a", "b"]',
        "source.brokers=host:1",
        "source.group=2025",
        "store.database=true",
        "source.session_timeout_s=6",
        'source.start="latest"',
        AMPELD_STATUS__ALLOW_REMOTE="true",
    )
    assert settings.source.topics == ["a", "b"]
    assert settings.source.brokers == ["host:1"]
    assert settings.source.group == "2025"
    assert settings.store.database == "true"
    assert settings.source.session_timeout_s == 6.0
    assert settings.source.start == "latest"
    assert settings.status.allow_remote


def test_variables_without_two_underscores_are_no_settings() -> None:
    assert load(None, AMPELD_SHARED="x", AMPELD_FAILPOINT="y", AMPELD_SOURCE_GROUP="z") == load()


def test_relative_paths_are_relative_to_the_file_that_has_them(tmp_path: Path) -> None:
    path = write(tmp_path, "[channels]\ndirectory = 'mine'\n[status]\nlisten = 'unix:run/a.sock'\n")
    settings = load(path)
    assert settings.channels.directory == tmp_path / "etc" / "mine"
    assert settings.status.listen == f"unix:{tmp_path}/etc/run/a.sock"
    assert settings.store.dead_letter_directory == tmp_path / "etc" / "var" / "dead-letters"


def test_relative_paths_from_the_command_line_are_relative_to_where_it_was_typed(tmp_path: Path) -> None:
    path = write(tmp_path, "[channels]\ndirectory = 'mine'\n")
    assert load(path, "channels.directory=typed").channels.directory == tmp_path / "cwd" / "typed"


def test_a_service_writes_dead_letters_to_its_state_directory(tmp_path: Path) -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/ampeld/x"}
    assert load_settings(None, [], environ).store.dead_letter_directory == Path("/var/lib/ampeld/x/dead-letters")
    assert load_settings(None, [], environ).source.schema_directory == Path("/var/lib/ampeld/x/schemas")
    path = write(tmp_path, "[store]\ndead_letter_directory = '/mine'\n")
    assert load_settings(path, [], environ).store.dead_letter_directory == Path("/mine")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-08-01T04:00:00Z", datetime(2025, 8, 1, 4, tzinfo=UTC)),
        ("2025-08-01T04:00:00", datetime(2025, 8, 1, 4, tzinfo=UTC)),
        ("2025-08-01T04:00:00-07:00", datetime(2025, 8, 1, 11, tzinfo=UTC)),
        ("2025-08-01", datetime(2025, 8, 1, tzinfo=UTC)),
    ],
)
def test_a_start_may_be_a_time(tmp_path: Path, text: str, moment: datetime) -> None:
    assert load(None, f"source.start={text}").source.start == moment
    assert load(write(tmp_path, f"[source]\nstart = {text}\n")).source.start == moment
    assert load(write(tmp_path, f"[source]\nstart = '{text}'\n")).source.start == moment


def test_every_problem_is_named_at_once_with_file_line_and_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "[source]\n"
        "grop = 'x'\n"
        "brokers = ['a:1',\n  'b']\n"
        "topics = [\n  'fine',\n  7]\n"
        "start = 'yesterday'\n"
        "[store]\n"
        "timeout_s = true\n"
        "[ledger]\nkeep_days = 0\n"
        "[status]\nlisten = '0.0.0.0:9600'\n",
    )
    assert sorted(problems(path, "log.level=INFO", AMPELD_SOURCE__MAX_BATCH="0")) == sorted(
        [
            f"{path}:2: source.grop: is not a setting; did you mean source.group?",
            f"{path}:4: source.brokers[1]: 'b' is not host:port",
            f"{path}:7: source.topics[1]: expected text, got int",
            f"{path}:8: source.start: 'yesterday' is neither earliest nor latest nor a time like 2025-08-01T04:00:00Z",
            f"{path}:10: store.timeout_s: expected float, got true or false",
            f"{path}:12: ledger.keep_days: expected int >= 1",
            f"{path}:14: status.listen: '0.0.0.0:9600' {OPEN}",
            "--set log.level: 'INFO' is not one of debug, info, warning, error; did you mean 'info'?",
            "AMPELD_SOURCE__MAX_BATCH: expected int >= 1",
        ]
    )


def test_a_setting_in_the_wrong_section_is_pointed_to_the_right_one(tmp_path: Path) -> None:
    path = write(tmp_path, "keep_days = 3\nsources = 1\n")
    assert problems(path) == [
        f"{path}:1: keep_days: is not a setting; did you mean ledger.keep_days?",
        f"{path}:2: sources: is not a setting; did you mean source?",
    ]


def test_a_section_that_is_a_value_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "source = 3\n")
    assert problems(path) == [f"{path}:1: source: is a section, not a value"]


def test_an_option_without_value_is_a_problem() -> None:
    assert problems(None, "source.group", ".x=1") == [
        "--set .x: expected KEY=VALUE, as in source.group=mine",
        "--set source.group: expected KEY=VALUE, as in source.group=mine",
    ]


def test_a_file_that_is_no_toml_is_named_beside_the_problems_of_the_options(tmp_path: Path) -> None:
    path = write(tmp_path, "a = = 1\n")
    found = problems(path, "source.max_batch=0")
    assert len(found) == 2
    assert found[0].startswith(f"{path}:1: ")


def test_secrets_are_found_and_never_shown(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "[source.security]\nprotocol = 'SASL_SSL'\nusername = 'me'\npassword = { env = 'PASSWORD' }\n"
        "[store]\nuri = 'mongodb://me:p%40ssword@host/'\n",
    )
    settings = load(path, PASSWORD="hunter2")
    assert settings.source.security.password is not None
    assert settings.source.security.password.reveal() == "hunter2"
    assert not any(secret in repr(settings) for secret in ("hunter2", "p%40"))
    assert settings.secrets() == ["mongodb://me:p%40ssword@host/", "p%40ssword", "p@ssword", "hunter2"]


def test_a_uri_without_password_hides_nothing() -> None:
    assert load().secrets() == []


def test_the_hash_of_the_configuration_tells_settings_and_channels_but_not_secrets() -> None:
    versions = [ChannelVersion("a", "1"), ChannelVersion("b", "2")]
    plain = config_hash(load(), versions)
    assert len(plain) == 16
    assert int(plain, 16) >= 0
    assert plain == config_hash(load(None, "store.uri=mongodb://other"), versions[::-1])
    assert plain != config_hash(load(None, "source.group=other"), versions)
    assert plain != config_hash(load(), versions[:1])
