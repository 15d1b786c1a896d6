"""A Confluent schema registry: one question, asked once for each schema."""

import asyncio
import base64
import http.client
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from ampeld.errors import PoisonError, RetryableError

TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 2 * 1024 * 1024

_NO_SCHEMA: Final = 40403
_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: ": see source.schema_registry_username and source.schema_registry_password",
    HTTPStatus.FORBIDDEN: ": see source.schema_registry_username and source.schema_registry_password",
    HTTPStatus.NOT_FOUND: ": has source.schema_registry a wrong path?",
}
_ACCEPT: Final = "application/vnd.schemaregistry.v1+json, application/json"


class RegistryUnavailableError(RetryableError):
    """The registry does not answer, or not as a registry does."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it would carry the password to whoever is named there."""

    def redirect_request(self, *_: object) -> None:
        return None


class HttpRegistry:
    """A schema registry behind ``http`` or ``https``.

    Parameters
    ----------
    url
        Without the path of a question, as ``https://registry.example.org``.
    username, password
        For basic authentication; None for none.
    ca_file
        Certificates to trust beside the system's.
    timeout_s
        How long an answer may take [s].
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._host = urlsplit(url).netloc
        self._headers = {"Accept": _ACCEPT}
        if username is not None or password is not None:
            pair = f"{username or ''}:{password or ''}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._ca_file = ca_file
        self._timeout_s = timeout_s

    async def fetch(self, number: int) -> bytes:
        """Return the JSON text of a schema.

        Raises
        ------
        PoisonError
            If the registry answers that there is none of this number.
        RegistryUnavailableError
            If it does not answer, or with anything else.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                status, body = await asyncio.to_thread(self._ask, number)
        except TimeoutError:
            raise self._unavailable(f"no answer within {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unavailable(str(getattr(error, "reason", error)) or type(error).__name__) from error
        if status == HTTPStatus.NOT_FOUND and _code(body) in (None, _NO_SCHEMA):
            raise PoisonError(f"schema {number} is not known to the registry at {self._host}")
        if status != HTTPStatus.OK:
            raise self._unavailable(f"HTTP {status}{_HINTS.get(status, '')}")
        return self._schema(body)

    def _ask(self, number: int) -> tuple[int, bytes]:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
        request = urllib.request.Request(  # noqa: S310  the settings take http and https only
            f"{self._url}/schemas/ids/{number}", headers=self._headers
        )
        try:
            with opener.open(request, timeout=self._timeout_s) as answer:
                status, body = answer.status, answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                status, body = error.code, error.read(MAX_ANSWER)
        if len(body) > MAX_ANSWER:
            raise ValueError(f"an answer of more than {MAX_ANSWER} bytes")
        return status, body

    def _schema(self, body: bytes) -> bytes:
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer = None
        text = answer.get("schema") if isinstance(answer, dict) else None
        if not isinstance(text, str) or answer.get("schemaType", "AVRO") != "AVRO":
            raise self._unavailable("an answer without an Avro schema")
        return text.encode()

    def _unavailable(self, why: str) -> RegistryUnavailableError:
        return RegistryUnavailableError(f"schema registry at {self._host}: {why}")


def _code(body: bytes) -> int | None:
    """Return the registry's own number of an error, None where it gives none."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = answer.get("error_code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) else None
