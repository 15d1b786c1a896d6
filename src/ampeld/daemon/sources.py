"""What the configuration says of Kafka, in the words of the source."""

import socket

from ampeld.daemon.secret import Secret
from ampeld.daemon.settings import Settings
from ampeld.source.settings import KafkaSettings, Security


def kafka_settings(settings: Settings, *, instance: str, until_end: bool = False) -> KafkaSettings:
    """Return the settings of the Kafka source for an instance of the daemon."""
    source, security = settings.source, settings.source.security
    return KafkaSettings(
        brokers=tuple(source.brokers),
        topics=tuple(source.topics),
        group=source.group,
        start=source.start,
        session_timeout_s=source.session_timeout_s,
        client_id=f"ampeld-{socket.gethostname()}-{instance}",
        max_message_bytes=source.max_message_bytes,
        until_end=until_end,
        security=Security(
            protocol=security.protocol,
            mechanism=security.mechanism,
            username=_revealed(security.username),
            password=_revealed(security.password),
            ca_file=_text(security.ca_file),
            cert_file=_text(security.cert_file),
            key_file=_text(security.key_file),
            check_hostname=security.check_hostname,
        ),
    )


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _text(path: object) -> str | None:
    return None if path is None else str(path)
