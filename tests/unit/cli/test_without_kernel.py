"""What an operator is told where alerts are decoded by fastavro."""

import json

import pytest

from ampeld.cli.main import run_command

SENTENCE = "the compiled kernel is not there"


def test_check_warns_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ampeld.cli.check.WITHOUT_KERNEL", SENTENCE)
    run_command(["check", "--json"])
    assert SENTENCE in json.loads(capsys.readouterr().out)["warnings"]


def test_check_does_not_speak_of_a_kernel_that_is_there(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    run_command(["check", "--json"])
    assert json.loads(capsys.readouterr().out)["warnings"] == []
