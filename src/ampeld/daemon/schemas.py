"""What the configuration says of a survey's schemas, as the decoder and its stage need it."""

from collections.abc import Sequence

import structlog

from ampeld.alert.decode import Decoder
from ampeld.alert.survey import survey_of
from ampeld.daemon.secret import Secret
from ampeld.daemon.settings import Settings
from ampeld.errors import PoisonError, RetryableError
from ampeld.source.registry import HttpRegistry
from ampeld.source.schemas import PACKAGED, Schemas
from ampeld.stages.reader import Reader

MAX_NAMED = 20

log = structlog.get_logger("ampeld.schemas")


def make_decoder(settings: Settings) -> Decoder:
    """Return a decoder for the survey's alerts."""
    return Decoder(settings.source.max_message_bytes, survey_of(settings.source.survey))


def make_reader(settings: Settings) -> Reader:
    """Return a decoder that learns the schemas of frames where the configuration says."""
    decoder = make_decoder(settings)
    return Reader(decoder, None if decoder.frames is None else make_schemas(settings))


def make_schemas(settings: Settings) -> Schemas:
    """Return who knows the schemas of framed alerts."""
    return Schemas(settings.source.schema_directory, make_registry(settings))


def make_registry(settings: Settings) -> HttpRegistry | None:
    """Return the schema registry, None where none is named."""
    source = settings.source
    if source.schema_registry is None:
        return None
    return HttpRegistry(
        source.schema_registry,
        username=_revealed(source.schema_registry_username),
        password=_revealed(source.schema_registry_password),
        ca_file=source.security.ca_file,
    )


async def registry_trouble(registry: HttpRegistry) -> str | None:
    """Ask a registry for a schema; return why it does not answer, None when it does, whatever it says."""
    try:
        await registry.fetch(PACKAGED[-1])
    except PoisonError:
        return None
    except RetryableError as error:
        return str(error)
    return None


def on_schema(fingerprint: str, version: str, additions: Sequence[str]) -> None:
    """Log a schema that alerts come with; once a warning when it has fields that the survey's tables lack."""
    if not additions:
        log.info("schema.seen", schema=fingerprint, version=version)
        return
    log.warning(
        "schema.new",
        schema=fingerprint,
        version=version,
        fields=len(additions),
        names=list(additions[:MAX_NAMED]),
        meaning="these fields are no columns yet; everything else goes on",
    )


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()
