"""Each failure of the driver has one meaning, and none of them speaks of documents or URIs."""

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DocumentTooLarge,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from ampeld.errors import PoisonError, RetryableError
from ampeld.store.errors import (
    DATA,
    OPERATOR,
    TRANSIENT,
    UNKNOWN,
    UNKNOWN_DURABILITY,
    StoreUnavailableError,
    UnstorableError,
    check_storable,
    classify,
    duplicates,
    storing,
    translate,
    translated,
)

SECRET = "mongodb://user:hunter2@db {candid: 1}"


def bulk(*codes, concern=()):
    failures = [{"index": i, "code": code, "errmsg": SECRET} for i, code in enumerate(codes)]
    return BulkWriteError({"writeErrors": failures, "writeConcernErrors": [{"code": code} for code in concern]})


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10107, TRANSIENT),
        (50, TRANSIENT),
        (64, UNKNOWN_DURABILITY),
        (13, OPERATOR),
        (14031, OPERATOR),
        (10334, DATA),
        (987654, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_codes_have_their_class(code, kind):
    assert classify(code) == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AutoReconnect(SECRET), TRANSIENT),
        (NetworkTimeout(SECRET), TRANSIENT),
        (NotPrimaryError(SECRET), TRANSIENT),
        (ServerSelectionTimeoutError(SECRET), TRANSIENT),
        (ConfigurationError(SECRET), OPERATOR),
        (WriteConcernError(SECRET, 64), UNKNOWN_DURABILITY),
        (OperationFailure(SECRET, 18), OPERATOR),
        (OperationFailure(SECRET, 14031), OPERATOR),
        (OperationFailure(SECRET, 99999), UNKNOWN),
        (OperationFailure(SECRET), UNKNOWN),
        (bulk(concern=[64]), UNKNOWN_DURABILITY),
        (bulk(11000, concern=[64]), UNKNOWN_DURABILITY),
        (bulk(11000, 91), TRANSIENT),
        (bulk(10334, 91), TRANSIENT),
        (bulk(121), OPERATOR),
        (bulk(424242), UNKNOWN),
    ],
)
def test_trouble_of_the_server_is_waited_out(error, kind):
    translation = translate(error)

    assert isinstance(translation, StoreUnavailableError)
    assert isinstance(translation, RetryableError)
    assert translation.kind == kind
    assert "hunter2" not in str(translation)
    assert "candid" not in str(translation)


def test_a_refused_login_is_named_also_when_the_driver_calls_it_a_time_out():
    quoted = f"{SECRET}, full error: {{'ok': 0.0, 'errmsg': 'Authentication failed.', 'code': 18, 'codeName': 'x'}}"
    for error in (OperationFailure(SECRET, 18), ServerSelectionTimeoutError(f"{quoted}, Timeout: 5.0s")):
        translation = translate(error)
        assert str(translation) == "authentication failed: check user and password in store.uri (MongoDB error 18)"
        assert translation.kind == OPERATOR
        assert translation.refused
    assert not translate(ServerSelectionTimeoutError(SECRET)).refused


@pytest.mark.parametrize(
    "error", [InvalidDocument(SECRET), OverflowError(SECRET), DocumentTooLarge(SECRET), bulk(10334), bulk(11000, 17419)]
)
def test_a_document_that_nobody_can_hold_is_poison(error):
    translation = translate(error)

    assert isinstance(translation, UnstorableError)
    assert isinstance(translation, PoisonError)
    assert "hunter2" not in str(translation)


def test_only_keys_that_exist_are_duplicates():
    assert duplicates(bulk(11000, 11000)) == [0, 1]
    with pytest.raises(StoreUnavailableError):
        duplicates(bulk(11000, 91))
    with pytest.raises(StoreUnavailableError):
        duplicates(bulk(11000, concern=[64]))


def test_the_cause_is_chained():
    cause = AutoReconnect("gone")
    with pytest.raises(StoreUnavailableError) as caught, translated():
        raise cause
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("value", [2**63, "\ud800", {1, 2}, b"x" * (16 << 20)])
def test_the_document_at_fault_is_named(value):
    with pytest.raises(UnstorableError, match="document 7: ") as caught:
        check_storable([{"_id": 6}, {"_id": 7, "body": {"x": value}}])
    assert caught.value.document == 7


def test_a_failed_write_names_its_document():
    with pytest.raises(UnstorableError, match="document 7"), storing([{"_id": 7, "x": 2**64}]):
        raise OverflowError


def test_other_errors_pass_through():
    with pytest.raises(KeyError), storing():
        raise KeyError
