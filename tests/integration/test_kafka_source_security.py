"""TLS, client certificates and SASL on a real broker, and what is said when it lets nobody in."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from support.servers import ApacheKafka, create_topic, need_apache, send, unique
from support.sources import kafka_settings, make_source, read

from ampeld.errors import AccessDeniedError, ConfigError, RetryableError
from ampeld.source.offsets import describe
from ampeld.source.settings import Security

pytestmark = pytest.mark.kafka


class Secured:
    """A broker with listeners for SASL over TLS, and for TLS with client certificates."""

    def __init__(self, directory: Path) -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        self.ca, self.other_ca, self.client = directory / "ca.pem", directory / "other.pem", directory / "client.pem"
        authority.cert_pem.write_to_path(self.ca)
        stranger.cert_pem.write_to_path(self.other_ca)
        authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(self.client)
        server = directory / "server.pem"
        server.write_bytes(self._server_pem(authority))
        jaas = "org.apache.kafka.common.security"
        sasl = "listener.name.secure"
        settings = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca),
            "listener.name.certified.ssl.client.auth": "required",
            f"{sasl}.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            f"{sasl}.plain.sasl.jaas.config": f'{jaas}.plain.PlainLoginModule required user_bob="right";',
        }
        for bits in (256, 512):
            settings[f"{sasl}.scram-sha-{bits}.sasl.jaas.config"] = f"{jaas}.scram.ScramLoginModule required;"
        scram = [f"SCRAM-SHA-{bits}=[name=bob,password=right]" for bits in (256, 512)]
        listeners = {"SECURE": "SASL_SSL", "CERTIFIED": "SSL"}
        self.broker = ApacheKafka(directory / "kafka", listeners=listeners, settings=settings, scram=scram)

    @staticmethod
    def _server_pem(authority: trustme.CA) -> bytes:
        issued = authority.issue_cert("127.0.0.1")
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # Java reads no other
        return pkcs8 + b"".join(blob.bytes() for blob in issued.cert_chain_pems)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    need_apache()
    made = Secured(tmp_path_factory.mktemp("secured"))
    made.broker.start()
    try:
        yield made
    finally:
        made.broker.remove()


def sasl(secured: Secured, **changes: object) -> Security:
    given = {"protocol": "SASL_SSL", "username": "bob", "password": "right", "ca_file": str(secured.ca)}
    return Security(**(given | changes))  # type: ignore[arg-type]


async def filled_topic(secured: Secured) -> str:
    topic = await create_topic(secured.broker.address, partitions=1)
    await send(secured.broker.address, topic, [(None, b"alert", 0)])
    return topic


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_alerts_come_by_sasl_over_tls(secured: Secured, mechanism: str) -> None:
    topic = await filled_topic(secured)
    security = sasl(secured, mechanism=mechanism)
    settings = kafka_settings(secured.broker.addresses["SECURE"], topic, security=security, until_end=True)
    async with make_source(settings) as source:
        assert [record.value for record in await read(source)] == [b"alert"]


async def test_alerts_come_by_a_client_certificate(secured: Secured) -> None:
    topic = await filled_topic(secured)
    security = Security(protocol="SSL", ca_file=str(secured.ca), cert_file=str(secured.client))
    settings = kafka_settings(secured.broker.addresses["CERTIFIED"], topic, security=security, until_end=True)
    async with make_source(settings) as source:
        assert [record.value for record in await read(source)] == [b"alert"]


async def test_a_wrong_password_is_said_to_be_one_and_not_shown(secured: Secured) -> None:
    security = sasl(secured, password="wrong-canary")
    settings = kafka_settings(secured.broker.addresses["SECURE"], "t", security=security)
    with pytest.raises(AccessDeniedError, match="uthentication") as error:
        await make_source(settings).start()
    assert "canary" not in str(error.value)
    with pytest.raises(AccessDeniedError):
        await describe(settings)


async def test_a_foreign_authority_is_said_to_be_one(secured: Secured) -> None:
    security = sasl(secured, ca_file=str(secured.other_ca))
    settings = kafka_settings(secured.broker.addresses["SECURE"], "t", security=security)
    with pytest.raises(AccessDeniedError, match="CERTIFICATE_VERIFY_FAILED"):
        await make_source(settings).start()


async def test_a_certificate_that_the_broker_misses_or_does_not_trust_is_a_refusal(secured: Secured) -> None:
    stranger = secured.ca.with_name("stranger.pem")
    trustme.CA().issue_cert("client").private_key_and_cert_chain_pem.write_to_path(stranger)
    for cert_file in (None, str(stranger)):
        security = Security(protocol="SSL", ca_file=str(secured.ca), cert_file=cert_file)
        settings = kafka_settings(secured.broker.addresses["CERTIFIED"], "t", security=security)
        with pytest.raises(AccessDeniedError, match="certificate"):
            await make_source(settings).start()
        with pytest.raises(AccessDeniedError):
            await describe(settings)


async def test_a_broker_that_hangs_up_is_worth_another_try_and_is_said_to_have_done_so() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = kafka_settings(address, "t", security=Security(protocol="SSL"))
        with pytest.raises(RetryableError, match=r"Connection\w*Error"):
            await make_source(settings).start()


async def test_certificates_that_cannot_be_read_are_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for ca_file in (tmp_path / "none.pem", tmp_path / "ca.pem"):
        security = Security(protocol="SSL", ca_file=str(ca_file))
        with pytest.raises(ConfigError, match=r"source\.security: cannot read the certificates"):
            await make_source(kafka_settings("127.0.0.1:1", "t", security=security)).start()
    with pytest.raises(ConfigError, match="needs username and password"):
        await make_source(kafka_settings("127.0.0.1:1", "t", security=Security(protocol="SASL_SSL"))).start()


async def test_a_broker_that_is_not_there_is_worth_another_try() -> None:
    for question in (make_source(kafka_settings("127.0.0.1:1", "t")).start, None):
        with pytest.raises(RetryableError, match=r"no answer from 127\.0\.0\.1:1"):
            await (question() if question else describe(kafka_settings("127.0.0.1:1", "t")))


async def test_describing_tells_topics_versions_and_the_group(secured: Secured) -> None:
    topic, missing = await filled_topic(secured), unique("missing")
    settings = kafka_settings(secured.broker.addresses["SECURE"], topic, missing, security=sasl(secured))
    reach = await describe(settings)
    assert reach.topics == {topic: 1}
    assert reach.missing == (missing,)
    assert reach.group_state == "Dead"
    assert reach.members == 0
    assert len(reach.brokers) == 1
    assert reach.versions["Fetch"] > 10
