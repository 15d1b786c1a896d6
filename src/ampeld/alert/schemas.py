"""The writers' schemas that a decoder has met: checked once, remembered, and the oldest forgotten."""

import hashlib
from collections import OrderedDict
from typing import Any, Final, Literal

import fastavro
import msgspec

from ampeld.alert.schema import AvroType, parse, to_fastavro
from ampeld.alert.survey import Survey
from ampeld.alert.walker import Walk
from ampeld.errors import PoisonError

Stage = Literal["decode", "validate"]

_KEPT: Final = 32
_MAX_REASON: Final = 1000


class RefusalError(Exception):
    """A payload is poison: at which stage, why, and the fingerprint of its schema where that could be read."""

    def __init__(self, stage: Stage, reason: str, schema: str | None = None) -> None:
        super().__init__(reason)
        self.stage: Stage = stage
        self.reason = reason[:_MAX_REASON]
        self.schema = schema


class Schema(msgspec.Struct, eq=False):
    """A writer's schema that can be decoded with.

    ``walk`` is compiled at the second record: a schema that is met once is likely a damaged one.
    """

    text: bytes
    fingerprint: str
    version: str
    avro_type: AvroType
    parsed: Any
    met: bool = False
    walk: Walk | None = None


class Schemas:
    """Schemas by their text.

    Parameters
    ----------
    survey
        Whose schemas are accepted.
    """

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._known: OrderedDict[bytes, Schema | RefusalError] = OrderedDict()
        self.versions: dict[str, str] = {}
        """The fingerprints of the schemas in use, each with the name and version that it states."""
        self.additions: dict[str, tuple[str, ...]] = {}
        """By fingerprint: the fields of a schema that are new to the survey's tables."""

    def open(self, text: bytes) -> Schema:
        """Return the schema of this text.

        Raises
        ------
        RefusalError
            If it is none that this survey's alerts can have.
        """
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = _make(text, self._survey)
            self._forget_oldest()
            if isinstance(found, Schema):
                self.versions[found.fingerprint] = found.version
                self.additions[found.fingerprint] = self._survey.additions(found.avro_type)
        self._known.move_to_end(text)
        if isinstance(found, RefusalError):
            raise RefusalError(found.stage, found.reason, found.schema)
        return found

    def _forget_oldest(self) -> None:
        if len(self._known) > _KEPT:
            _, oldest = self._known.popitem(last=False)
            if isinstance(oldest, Schema):
                self.versions.pop(oldest.fingerprint, None)
                self.additions.pop(oldest.fingerprint, None)


def _make(text: bytes, survey: Survey) -> Schema | RefusalError:
    """Check a schema; a refused one is remembered too, for its next message."""
    fingerprint = hashlib.blake2b(text, digest_size=8).hexdigest()
    try:
        avro_type, version = parse(text)
    except PoisonError as error:
        return RefusalError("decode", str(error), fingerprint)
    try:
        survey.check_schema(avro_type)
    except PoisonError as error:
        return RefusalError("validate", str(error), fingerprint)
    return Schema(text, fingerprint, version, avro_type, fastavro.parse_schema(to_fastavro(avro_type)))
