"""What the sections must fulfil beyond the type of each key: addresses, topics, and settings that need each other."""

import ipaddress
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ampeld.daemon.sections import SecuritySection, SourceSection, StatusSection, StoreSection
from ampeld.daemon.toml import Key

Broken = tuple[tuple[Key, ...], str]

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\s:/\[\]@]+)):(?P<port>\d{1,5})")
_UNIX = "unix:"
_LONGEST_SOCKET = 107  # bytes of sun_path


def broken_rules(source: SourceSection, store: StoreSection, status: StatusSection) -> Iterator[Broken]:
    """Yield the key and the message of each rule that does not hold."""
    for index, broker in enumerate(source.brokers):
        if split_address(broker) is None:
            yield ("source", "brokers", index), f"{broker!r} is not host:port"
    for index, topic in enumerate(source.topics):
        if message := _topic_problem(topic):
            yield ("source", "topics", index), message
    yield from _survey(source)
    yield from _security(source.security)
    if message := _uri_problem(store.uri.reveal()):
        yield ("store", "uri"), message
    if message := _listen_problem(status):
        yield ("status", "listen"), message


def split_address(text: str) -> tuple[str, int] | None:
    """Return host and port of ``host:port`` or ``[v6]:port``, None if it is neither."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 0xFFFF:
        return None
    return match["v6"] or match["host"], int(match["port"])


def socket_path(listen: str) -> str | None:
    """Return the path of ``unix:/path``, None for another address."""
    return listen.removeprefix(_UNIX) if listen.startswith(_UNIX) else None


def _uri_problem(uri: str) -> str | None:
    from ampeld.store.uri import uri_problem  # noqa: PLC0415  --help needs no MongoDB driver

    return uri_problem(uri)


def _topic_problem(topic: str) -> str | None:
    if topic.startswith("^"):
        try:
            re.compile(topic)
        except re.error as error:
            return f"{topic!r} is not a regular expression: {error}"
        return None
    if "{night" in topic:
        try:
            nights = {topic.format(night=datetime(2025, 1, day, tzinfo=UTC)) for day in (1, 2)}
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            return f"{topic!r} is not a template like ztf_{{night:%Y%m%d}}_programid1: {error}"
        if len(nights) != 2 or not all(map(_TOPIC.fullmatch, nights)):
            return f"{topic!r} must name another topic each night: write {{night:%Y%m%d}}"
        return None
    return None if _TOPIC.fullmatch(topic) else f"{topic!r} cannot be a topic: letters, digits, '.', '_' and '-' only"


def _survey(source: SourceSection) -> Iterator[Broken]:
    ztf = [index for index, topic in enumerate(source.topics) if topic.startswith("ztf_")]
    if source.survey == "lsst" and ztf:
        yield ("source", "topics", ztf[0]), f"{source.topics[ztf[0]]!r} is ZTF's: name the topics of survey 'lsst'"
    if source.schema_registry is not None:
        if message := _registry_problem(source.schema_registry):
            yield ("source", "schema_registry"), message
    elif source.schema_registry_username is not None or source.schema_registry_password is not None:
        yield ("source", "schema_registry"), "is needed beside schema_registry_username and schema_registry_password"


def _registry_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises when it is none
    except ValueError as error:
        return f"is no address: {error}"
    if parts.username is not None or parts.password is not None:
        return "holds a name or password: write schema_registry_username and schema_registry_password"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{url!r} is no address like https://registry.example.org"
    return f"{url!r} has a query or fragment" if parts.query or parts.fragment else None


def _security(security: SecuritySection) -> Iterator[Broken]:
    above = ("source", "security")
    if security.protocol.startswith("SASL"):
        for key in ("username", "password"):
            if getattr(security, key) is None:
                yield (*above, key), f"is needed by protocol {security.protocol}"
    elif security.username is not None or security.password is not None:
        yield (*above, "protocol"), f"{security.protocol} takes no username and password: write SASL_SSL"
    yield from _certificates(security)


def _certificates(security: SecuritySection) -> Iterator[Broken]:
    above = ("source", "security")
    files = {key: getattr(security, key) for key in ("ca_file", "cert_file", "key_file")}
    for key, file in files.items():
        if file is not None and not security.protocol.endswith("SSL"):
            yield (*above, key), f"is not used by protocol {security.protocol}"
        elif file is not None and not file.is_file():
            yield (*above, key), f"{file} is not there"
    for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if files[key] is not None and files[other] is None:
            yield (*above, other), f"is needed beside {key}"


def _listen_problem(status: StatusSection) -> str | None:
    path = socket_path(status.listen)
    if path is not None:
        return None if path and len(path.encode()) <= _LONGEST_SOCKET else f"{path!r} is too long for a socket"
    if not status.listen:
        return None
    address = split_address(status.listen)
    if address is None:
        return f"{status.listen!r} is not host:port, unix:/path or empty"
    if not status.allow_remote and not _is_loopback(address[0]):
        return f"{status.listen!r} is open to other hosts; if that is meant, set status.allow_remote = true"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
