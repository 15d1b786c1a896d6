"""What a failure of MongoDB means: wait and do the same again, or a document that no server can take."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import bson
from bson.errors import InvalidDocument
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from ampeld.errors import PoisonError, RetryableError

DUPLICATE_KEY = 11000

TRANSIENT = "transient"
"""The server is busy with itself: an election, a shutdown, a time-out."""
UNKNOWN_DURABILITY = "unknown durability"
"""The write may have happened: it is repeated, which changes nothing."""
OPERATOR = "operator"
"""Nothing gets better until somebody acts; waited for all the same."""
DATA = "data"
"""This document can never be written."""
UNKNOWN = "unknown"

_TRANSIENT_CODES = (6, 7, 50, 89, 91, 112, 134, 189, 202, 262, 290, 317, 358, 384, 9001)
_NOT_PRIMARY_CODES = (10107, 11600, 11602, 13388, 13435, 13436)
_CLASSES: dict[str, tuple[int, ...]] = {
    TRANSIENT: (*_TRANSIENT_CODES, *_NOT_PRIMARY_CODES),
    UNKNOWN_DURABILITY: (64, 79, 100),
    OPERATOR: (13, 18, 121, 8000, 14031),
    DATA: (10334, 17280, 17419, 17420),
}
KIND_OF_CODE: Mapping[int, str] = {code: kind for kind, codes in _CLASSES.items() for code in codes}

_MEANING: Mapping[int, str] = {
    13: "not authorised: check the role of the user in store.uri",
    18: "authentication failed: check user and password in store.uri",
    121: "a validator of the collection refuses our documents",
    8000: "authentication failed: check user and password in store.uri",
    14031: "the server's disk is full",
    64: "the write was not acknowledged by a majority in time",
    79: "the write concern names an unknown mode",
    100: "too few data-bearing members for w=majority",
}

_REFUSED = (13, 18, 8000)
# After a refused login the driver takes the server for lost, and repeats the server's answer in its own words only.
_QUOTED_REFUSAL = re.compile(rf"'code': ({'|'.join(map(str, _REFUSED))})\b")

_MAX_DOCUMENT = 15 << 20


class StoreUnavailableError(RetryableError):
    """MongoDB did not do its part.

    Parameters
    ----------
    cause : str
        A short cause; never a driver's message, which may quote documents and URIs.
    kind : str
        One of the classes of this module: transient, unknown durability, operator, unknown.
    code : int or None
        The server's error code.
    """

    def __init__(self, cause: str, *, kind: str = TRANSIENT, code: int | None = None) -> None:
        super().__init__(cause)
        self.kind = kind
        self.code = code

    @property
    def refused(self) -> bool:
        """Tell whether the server is there and does not let us in, or not do what we must."""
        return self.code in _REFUSED


class UnstorableError(PoisonError):
    """A document that BSON or the server's limits can never take.

    Parameters
    ----------
    reason : str
        What is wrong, without the value.
    document : object
        The ``_id`` of the document, None where it is unknown.
    """

    def __init__(self, reason: str, document: object = None) -> None:
        super().__init__(reason if document is None else f"document {document}: {reason}")
        self.document = document


def classify(code: int | None) -> str:
    """Return the class of a server's error code."""
    return UNKNOWN if code is None else KIND_OF_CODE.get(code, UNKNOWN)


def _from_code(code: int | None, name: str) -> Exception:
    kind = classify(code)
    if kind == DATA:
        return UnstorableError(f"above the server's limits (MongoDB error {code})")
    cause = _MEANING.get(code or 0, name)
    return StoreUnavailableError(cause if code is None else f"{cause} (MongoDB error {code})", kind=kind, code=code)


def translate(error: Exception) -> Exception:
    """Return the error that says what happens next; the caller raises it from the driver's."""
    match error:
        case BulkWriteError(details=details):
            return _from_bulk(details or {})
        case DocumentTooLarge():
            return UnstorableError("larger than a MongoDB document may be")
        case InvalidDocument() | OverflowError() | UnicodeEncodeError():
            return UnstorableError(f"BSON cannot hold it ({type(error).__name__})")
        case ConfigurationError() | InvalidURI():
            return StoreUnavailableError(f"the driver refuses its settings ({type(error).__name__})", kind=OPERATOR)
        case OperationFailure(code=code):
            return _from_code(code, type(error).__name__)
        case _:
            return _from_silence(error)


def _from_silence(error: Exception) -> Exception:
    refusal = _QUOTED_REFUSAL.search(str(error)) if isinstance(error, ServerSelectionTimeoutError) else None
    if refusal is not None:
        return _from_code(int(refusal[1]), type(error).__name__)
    return StoreUnavailableError(f"MongoDB does not answer ({type(error).__name__})")


def _from_bulk(details: Mapping[str, Any]) -> Exception:
    codes = [failure.get("code") for failure in details.get("writeErrors", ()) if failure["code"] != DUPLICATE_KEY]
    codes += [failure.get("code") for failure in details.get("writeConcernErrors", ())]
    infrastructure = [code for code in codes if classify(code) != DATA]
    # As long as the server itself is in trouble nothing is blamed on a document.
    code = (infrastructure or codes or [None])[0]
    if not infrastructure and codes:
        return _from_code(code, "refused")
    return StoreUnavailableError(
        f"{_MEANING.get(code or 0, 'a bulk write failed')} (MongoDB error {code})", kind=classify(code), code=code
    )


def duplicates(error: BulkWriteError) -> list[int]:
    """Return the positions of the operations that met an existing key, when nothing else went wrong.

    Raises
    ------
    StoreUnavailableError, UnstorableError
        If there was anything else.
    """
    details: Mapping[str, Any] = error.details or {}
    failures: Sequence[Mapping[str, Any]] = details.get("writeErrors", ())
    if details.get("writeConcernErrors") or any(failure["code"] != DUPLICATE_KEY for failure in failures):
        raise _from_bulk(details) from error
    return [failure["index"] for failure in failures]


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the driver raises as what it means for the flow."""
    try:
        yield
    except (PyMongoError, InvalidDocument, OverflowError, UnicodeEncodeError) as error:
        raise translate(error) from error


def check_storable(documents: Sequence[Mapping[str, Any]]) -> None:
    """Name the first document that BSON cannot hold or that is too large.

    Raises
    ------
    UnstorableError
        If there is one.
    """
    for document in documents:
        storable(document.get("_id"), document)


def storable(number: object, document: Mapping[str, Any]) -> bytes:
    """Return a document as BSON.

    Raises
    ------
    UnstorableError
        If BSON cannot hold it or it is too large; it names the document by this number.
    """
    try:
        data = bson.encode(document)
    except (InvalidDocument, OverflowError, UnicodeEncodeError) as error:
        raise UnstorableError(f"BSON cannot hold it ({type(error).__name__})", number) from error
    if len(data) > _MAX_DOCUMENT:
        raise UnstorableError(f"{len(data)} bytes are more than a MongoDB document may have", number)
    return data


@contextmanager
def storing(documents: Sequence[Mapping[str, Any]] = ()) -> Iterator[None]:
    """Do as `translated`, and name the document at fault where it is one of these."""
    try:
        with translated():
            yield
    except UnstorableError as error:
        if error.document is None:
            check_storable(documents)
        raise
