"""What the stages ask of the outer world: a source of records and a store. Adapters and fakes keep these words."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ampeld.feature.work import Case, Measurement
from ampeld.flow.ledger import PartitionLedger
from ampeld.flow.record import Batch, Coordinates
from ampeld.stages.values import Decoded, Judged
from ampeld.store.documents import (
    Account,
    Begun,
    FeatureChange,
    FeatureKey,
    ObjectDocument,
    PointChange,
    PointDocument,
    StateChange,
    StoredBody,
    StoredFeature,
    StoredPoint,
)


class Source(Protocol):
    """Where batches come from, and where their offsets are committed."""

    async def fetch(self, *, max_records: int, timeout_s: float) -> Batch | None:
        """Return the next batch, every record opened in its ledger; an empty one when nothing came; None at the end.

        Never cancelled by its caller.
        """

    async def keep_alive(self) -> None:
        """Tell the broker that this member lives, without taking records: called while the pipeline is full."""

    def ledgers(self) -> Sequence[PartitionLedger]:
        """Return the ledgers of the present assignment."""

    async def commit(self, due: Mapping[PartitionLedger, int]) -> None:
        """Commit these offsets; lost assignments are passed over in silence; noted in each ledger when acknowledged."""


class Store(Protocol):
    """Where documents lie. Every write is majority-acknowledged and journaled, and may be repeated.

    Every method raises `ampeld.errors.RetryableError` when the server does not do its part.
    """

    async def find_objects(self, stocks: Sequence[int]) -> Mapping[int, ObjectDocument]:
        """Return the stock documents of these objects, from the primary."""

    async def find_known(self, stocks: Sequence[int]) -> Mapping[int, Mapping[str, float]]:
        """Return, for each of these objects that is there, by channel the lowest jd at which its filter accepted it."""

    async def find_points(self, stocks: Sequence[int]) -> Mapping[int, Mapping[int, StoredPoint]]:
        """Return, for each object, its points by id, without bodies, from the primary."""

    async def find_first(self, points: Sequence[int]) -> Mapping[int, Coordinates]:
        """Return the coordinates that first brought each of these points as an alert's own."""

    async def write_points(self, new: Sequence[PointDocument], changed: Sequence[PointChange]) -> set[int]:
        """Insert new points and apply changes; return the new ones that existed by now: those were applied as changes.

        Where one point is given twice, as by two objects, one is new and the others count as met.
        """

    async def swap_objects(self, objects: Sequence[tuple[int, ObjectDocument]]) -> set[int]:
        """Replace each object whose revision still is the given one (0: it does not exist yet); return those lost."""

    async def write_states(self, states: Sequence[StateChange]) -> None:
        """Insert states that are new; add channels and provenance to those that are not."""

    async def find_bodies(self, points: Sequence[int], fields: Sequence[str] | None) -> Mapping[int, StoredBody]:
        """Return the bodies of points, from the primary, with these fields of theirs (None: all)."""

    async def find_features(self, keys: Sequence[FeatureKey]) -> Mapping[FeatureKey, StoredFeature]:
        """Return those of these features that are there, measured or waiting, each with its newest body."""

    async def write_features(self, changes: Sequence[FeatureChange]) -> None:
        """Insert results and tickets that are new; merge those that are not (`ampeld.store.features_merge`).

        What is only added to a feature that does not exist is passed over.
        """

    async def cut_numbers(self, version: str, names: Sequence[str]) -> Mapping[str, int]:
        """Return the number of each cut of a channel version, the same on every daemon; new names get the next ones."""

    async def write_account(self, account: Account) -> None:
        """Write dead letters and channel errors, then the verdict block that tells of them."""

    async def covered_to(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset after the last one in any verdict block of this group, or None if there is none."""

    async def record_begun(self, group: str, begun: Sequence[Begun]) -> None:
        """Keep where partitions were begun, and where files ended, for as long as verdict blocks are kept."""

    async def record_gap(self, gap: Mapping[str, Any]) -> None:
        """Keep the news that offsets were lost before they were read."""


class Judge(Protocol):
    """Who asks the channels."""

    async def judge(self, decoded: Decoded) -> Judged:
        """Return the verdicts of the channels in force on a batch; several may be given before the first is done."""


class Measurer(Protocol):
    """Who runs units."""

    @property
    def traces(self) -> Mapping[tuple[str, int], int]:
        """Return, by unit and configuration in force, the number of the trace that says what its values come from."""

    async def measure(self, cases: Sequence[Case], *, budget_s: float) -> list[list[Measurement | None]]:
        """Return what came of each job of each case.

        None for a job that was not done within the budget, overran, or ended its process: it is a ticket then; and for
        one that there was nothing to do for, because its body, or its failure, is known.
        """


class Schemas(Protocol):
    """Who knows the schemas of framed alerts."""

    async def find(self, number: int) -> bytes:
        """Return the JSON text of the schema of a number.

        Raises
        ------
        PoisonError
            If there is none.
        RetryableError
            If that cannot be said now.
        """


class Provenance(msgspec.Struct, frozen=True):
    """What every document of this run says of its origin."""

    run: str
    version: str
    config: str
    instance: str
    channels: Mapping[str, str] = {}
    """By channel: its version, as in force when a flush was judged."""
