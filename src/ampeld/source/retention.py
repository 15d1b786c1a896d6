"""How long a topic keeps its records, as its brokers are set."""

import contextlib
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from ampeld.source.connection import client_options
from ampeld.source.settings import KafkaSettings

_KEY = "retention.ms"


async def retention_of(settings: KafkaSettings, topic: str) -> timedelta | None:
    """Return after what time a topic's records may go; None where nobody can say, or they stay for ever."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {_KEY: None})])
    except (KafkaError, OSError):
        return None
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await admin.close()
    entries = [entry for answer in answers for resource in answer.resources for entry in resource[4]]
    milliseconds = next((int(entry[1]) for entry in entries if entry[0] == _KEY and entry[1]), -1)
    return timedelta(milliseconds=milliseconds) if milliseconds >= 0 else None
