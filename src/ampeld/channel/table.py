"""What this package asks of the alerts of a batch; `ampeld.alert.table.AlertTable` answers to it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class ScalarCells(Protocol):
    """One value for each alert."""

    @property
    def values(self) -> NDArray[Any]:
        """float64, int64, or object for text."""

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""


class RaggedCells(ScalarCells, Protocol):
    """A list of values for each alert."""

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each alert's list begins, and the end of the last one."""


class Table(Protocol):
    """The alerts of a batch as columns."""

    @property
    def candid(self) -> NDArray[np.int64]:
        """The number of each alert."""

    @property
    def jd(self) -> NDArray[np.float64]:
        """The Julian date of each alert [d]."""

    @property
    def object(self) -> Sequence[str]:
        """The name of each alert's object."""

    def __len__(self) -> int: ...

    def scalar(self, name: str) -> ScalarCells:
        """Return a field of the candidates; KeyError for a name that the survey does not know."""

    def ragged(self, kind: str, name: str) -> RaggedCells:
        """Return a field of the detections, limits or fp_hists; KeyError for an unknown name."""

    def offsets(self, kind: str) -> NDArray[np.int64]:
        """Return where each alert's list begins, and the end of the last one."""

    def names(self, kind: str) -> Sequence[str]:
        """Return the known names of a kind; the kinds are those of `ragged`, and ``candidate``."""

    def packet(self, row: int) -> Mapping[str, Any]:
        """Return the alert as the survey sent it."""

    def detections(self, row: int) -> Sequence[Mapping[str, Any]]:
        """Return the detections of an alert by ascending jd, its candidate among them."""

    def limits(self, row: int) -> Sequence[Mapping[str, Any]]:
        """Return the upper limits of an alert by ascending jd."""

    def select(self, rows: Sequence[int]) -> "Table":
        """Return some of the alerts as a table of their own."""
