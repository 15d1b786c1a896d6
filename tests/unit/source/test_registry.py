"""A real HTTP registry: what it answers, what it does not, and what is never told to anybody else."""

import base64
import socket
import threading

import pytest
from support.registry import UNKNOWN, known, running_registry

from ampeld.errors import PoisonError
from ampeld.source.registry import HttpRegistry, RegistryUnavailableError

TEXT = b'{"type": "record", "name": "x", "fields": []}'


async def test_a_schema_is_fetched_by_its_number():
    with running_registry({900: known(TEXT)}) as registry:
        assert await HttpRegistry(registry.url).fetch(900) == TEXT
        assert registry.asked == ["/schemas/ids/900"]
        assert "Authorization" not in registry.headers


async def test_a_registry_may_live_below_a_path():
    with running_registry({900: known(TEXT)}) as registry:
        assert await HttpRegistry(f"{registry.url}/apis/ccompat/").fetch(900) == TEXT
        assert registry.asked == ["/apis/ccompat/schemas/ids/900"]


async def test_name_and_password_are_shown_to_the_registry():
    with running_registry({900: known(TEXT)}) as registry:
        await HttpRegistry(registry.url, username="ampeld", password="p:ä").fetch(900)
        scheme, _, pair = registry.headers["Authorization"].partition(" ")
        assert (scheme, base64.b64decode(pair).decode()) == ("Basic", "ampeld:p:ä")


@pytest.mark.parametrize("answer", [UNKNOWN, (404, b"Not Found"), (404, b"{}")])
async def test_a_schema_that_the_registry_does_not_have_is_poison(answer):
    said = pytest.raises(PoisonError, match=r"^schema 900 is not known to the registry at 127\.0\.0\.1")
    with running_registry({900: answer}) as registry, said:
        await HttpRegistry(registry.url).fetch(900)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, b"oops"), "HTTP 500"),
        ((503, b""), "HTTP 503"),
        ((401, b""), "HTTP 401: see source.schema_registry_username"),
        ((404, b'{"error_code":404,"message":"HTTP 404 Not Found"}'), "has source.schema_registry a wrong path"),
        ((302, b"/login"), "HTTP 302"),
        ((200, b"<html>"), "an answer without an Avro schema"),
        ((200, b'{"schema": 5}'), "an answer without an Avro schema"),
        ((200, b'{"schema": "x", "schemaType": "JSON"}'), "an answer without an Avro schema"),
        ((200, b" " * (2 * 2**20 + 1)), "an answer of more than"),
    ],
)
async def test_any_other_answer_is_no_answer(answer, why):
    with running_registry({900: answer}) as registry:
        with pytest.raises(RegistryUnavailableError, match=why) as caught:
            await HttpRegistry(registry.url, username="me", password="secret-word").fetch(900)
        assert "secret-word" not in str(caught.value)
        assert len(registry.asked) == 1


async def test_the_password_is_not_carried_to_another_host():
    with running_registry({900: known(TEXT)}) as other, running_registry({}) as registry:
        registry.answers[900] = (302, f"{other.url}/schemas/ids/900".encode())
        with pytest.raises(RegistryUnavailableError):
            await HttpRegistry(registry.url, username="me", password="secret-word").fetch(900)
        assert other.asked == []


async def test_nobody_there_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RegistryUnavailableError, match="refused"):
        await HttpRegistry(f"http://127.0.0.1:{port}").fetch(900)


async def test_a_registry_that_does_not_answer_in_time_is_given_up():
    release = threading.Event()
    with running_registry({900: known(TEXT)}) as registry:
        registry.before = lambda _: release.wait(10) and None
        try:
            with pytest.raises(RegistryUnavailableError, match=r"no answer within 0\.2 s|timed out"):
                await HttpRegistry(registry.url, timeout_s=0.2).fetch(900)
        finally:
            release.set()
