"""A secret is read from its place, refused when others may read it, and shows itself to nobody."""

import pickle
from pathlib import Path

import msgspec
import pytest

from ampeld.daemon.secret import Secret, find_secret

HERE = Path("/")


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]}".count("hunter2") == 0
    assert secret.reveal() == "hunter2"


def test_a_secret_is_not_serialised() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("hunter2"))


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_file_for_owner_and_group_is_read_without_its_last_newline(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(mode)
    assert find_secret({"file": "password"}, tmp_path, {}).reveal() == "hunter2"


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o660, 0o666, 0o602, 0o610])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(mode)
    with pytest.raises(ValueError, match=f"has mode {mode:04o}") as caught:
        find_secret({"file": "password"}, tmp_path, {})
    assert "hunter2" not in str(caught.value)


def test_a_variable_of_the_environment_is_read() -> None:
    assert find_secret({"env": "SECRET"}, HERE, {"SECRET": "hunter2"}).reveal() == "hunter2"


def test_a_credential_is_read_from_the_directory_that_systemd_names(tmp_path: Path) -> None:
    file = tmp_path / "kafka"
    file.write_text("hunter2")
    file.chmod(0o400)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert find_secret({"credential": "kafka"}, HERE, environ).reveal() == "hunter2"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "is empty"),
        (3, "expected a text, or one of"),
        ({}, "expected a text, or one of"),
        ({"file": "a", "env": "b"}, "expected a text, or one of"),
        ({"fil": "a"}, "not 'fil'"),
        ({"env": 3}, "expected a text as env"),
        ({"env": "ABSENT"}, "no variable ABSENT"),
        ({"env": "EMPTY"}, "is empty"),
        ({"file": "/absent"}, "/absent cannot be read: No such file"),
        ({"credential": "x"}, "needs systemd's LoadCredential="),
    ],
)
def test_what_names_no_secret_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_secret(value, HERE, {"EMPTY": ""})


def test_a_credential_cannot_leave_its_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no name of a credential"):
        find_secret({"credential": "../x"}, HERE, {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_bytes_of_a_secret_that_is_no_text_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"hunter\xff")
    file.chmod(0o600)
    with pytest.raises(ValueError, match="not UTF-8") as caught:
        find_secret({"file": "password"}, tmp_path, {})
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
