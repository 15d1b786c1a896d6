"""What becomes of a batch of payloads: rows of a table, and poison with its reasons."""

import msgspec

from ampeld.alert.schemas import Stage
from ampeld.alert.table import AlertTable


class Poison(msgspec.Struct, frozen=True):
    """A payload that can never become an alert.

    ``index`` is its place among the payloads, ``schema`` the fingerprint of its schema where that could be read.
    """

    index: int
    stage: Stage
    reason: str
    schema: str | None


class DecodedAlerts(msgspec.Struct, frozen=True, eq=False):
    """The two ends of a batch of payloads: ``rows[i]`` is the index of the payload behind row ``i`` of the table."""

    table: AlertTable
    rows: list[int]
    poison: list[Poison]
