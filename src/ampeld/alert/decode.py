"""From payloads to columns: every payload becomes a row of the table or poison with a reason; none raises."""

from collections.abc import Sequence
from typing import Final

from ampeld.alert.decode_packets import decode_packets
from ampeld.alert.decoded import DecodedAlerts, Poison
from ampeld.alert.frames import Frames
from ampeld.alert.opening import Opener
from ampeld.alert.schemas import Schemas, Stage
from ampeld.alert.survey import ZTF, Survey

try:
    from ampeld.alert.decode_columns import ColumnDecoder
except ImportError as error:
    _ABSENCE = (
        f"the compiled kernel is not there ({error.msg.partition(' (')[0]}): fastavro decodes, thirty times slower;"
        " install ampeld anew where a C compiler is"
    )
else:
    _ABSENCE = ""

__all__ = ["DECODER", "KERNEL", "WITHOUT_KERNEL", "DecodedAlerts", "Decoder", "Poison", "Stage"]

KERNEL: Final = not _ABSENCE
"""Whether the compiled kernel is there."""
WITHOUT_KERNEL: Final = _ABSENCE
"""Why it is not, and what that means; empty when it is there."""
DECODER: Final = "kernel" if KERNEL else "fastavro"
"""What decodes alerts."""


class Decoder:
    """Decodes payloads, remembering the schemas that it has met.

    Parameters
    ----------
    max_bytes
        Larger payloads are refused unread.
    survey
        Whose alerts they are; another survey's are poison.
    kernel
        Whether to decode by the compiled kernel; otherwise fastavro does it.
    """

    def __init__(self, max_bytes: int, survey: Survey = ZTF, *, kernel: bool = KERNEL) -> None:
        self.survey = survey
        self.frames = Frames() if survey.framed else None
        """The schemas of Confluent frames, learned from outside; None where the survey sends containers only."""
        self._schemas = Schemas(survey)
        self._opener = Opener(max_bytes, self._schemas, self.frames)
        self._columns = ColumnDecoder(self._opener, survey) if kernel else None

    @property
    def schemas(self) -> dict[str, str]:
        """Return the fingerprints of the schemas in use, each with the name and version that it states."""
        return self._schemas.versions

    @property
    def additions(self) -> dict[str, tuple[str, ...]]:
        """Return, by fingerprint, the fields of a schema in use that are new to the survey's tables."""
        return self._schemas.additions

    @property
    def disagreements(self) -> int:
        """Return how often the kernel refused what the oracle accepts: a mistake of the kernel, never of the data."""
        return 0 if self._columns is None else self._columns.disagreements

    def decode(self, values: Sequence[bytes]) -> DecodedAlerts:
        """Decode payloads, whatever they hold."""
        found = None if self._columns is None else self._columns.decode(values)
        return decode_packets(values, self._opener, self.survey) if found is None else found
