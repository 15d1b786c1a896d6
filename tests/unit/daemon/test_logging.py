"""Logs are one JSON object or one readable line each, without secrets, and libraries go through the same door."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from ampeld.daemon.limit import WINDOW_S, LineLimiter
from ampeld.daemon.logging import LimitedHandler, configure_logging
from ampeld.daemon.secret import Secret


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(hidden: str, told: object) -> None:
    assert hidden is not None
    raise ValueError(told)


def start(form: str = "json", level: str = "info", secrets: tuple[str, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(form, level, secrets, stream)
    return stream


def test_an_event_is_one_json_object_with_a_utc_time() -> None:
    stream = start()
    structlog.get_logger("ampeld.test").info("batch.stored", rows=3, topic="a\nb")
    [line] = lines(stream)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"level": "info", "event": "batch.stored", "rows": 3, "topic": "a\nb"}


def test_debug_is_written_only_when_asked_for() -> None:
    stream = start()
    structlog.get_logger("ampeld.test").debug("batch.stored")
    assert lines(stream) == []
    stream = start(level="debug")
    structlog.get_logger("ampeld.test").debug("batch.stored")
    assert len(lines(stream)) == 1


def test_libraries_go_through_the_same_door_from_warnings_on() -> None:
    stream = start(level="debug")
    logging.getLogger("aiokafka.conn").info("connected")
    logging.getLogger("aiokafka.conn").warning("no broker %s", "b:1")
    [line] = lines(stream)
    assert line["logger"] == "aiokafka.conn"
    assert line["event"] == "no broker b:1"
    assert line["level"] == "warning"


def test_a_storm_of_one_message_is_limited_whatever_its_values() -> None:
    stream = start()
    for number in range(1000):
        logging.getLogger("aiokafka").error("no broker %d", number)
    assert len(lines(stream)) == 5


def test_what_was_left_out_of_a_storm_is_told_in_one_line_half_a_minute_later() -> None:
    stream, now = start(), [0.0]
    [handler] = [one for one in logging.root.handlers if isinstance(one, LimitedHandler)]
    handler.limiter = LineLimiter(lambda: now[0])
    for number in range(9):
        logging.getLogger("aiokafka").error("no broker %d", number)
    now[0] = WINDOW_S
    logging.getLogger("aiokafka").error("it is back")
    told = lines(stream)[5]
    assert {name: told[name] for name in ("event", "level", "lines", "of", "template")} == {
        "event": "log.suppressed",
        "level": "warning",
        "lines": 4,
        "of": "aiokafka",
        "template": "no broker %d",
    }


def test_an_error_tells_its_traceback_without_values_of_variables() -> None:
    stream = start()
    try:
        fail("local value", 11)
    except ValueError:
        structlog.get_logger("ampeld.test").exception("it.failed")
    [line] = lines(stream)
    assert "ValueError: 11" in str(line["exception"])
    assert "hidden = " not in str(line["exception"])


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_blotted_out_wherever_it_stands(form: str) -> None:
    secret = 'hunter"2\\x'
    stream = start(form, secrets=(secret,))
    log = structlog.get_logger("ampeld.test")
    log.info(secret, value=secret, nested={"a": [secret]}, wrapped=Secret(secret))
    logging.getLogger("pymongo").error("cannot log in with %s", secret)
    try:
        fail("", secret)
    except ValueError:
        log.exception("it.failed")
    assert "hunter" not in stream.getvalue()
    assert stream.getvalue().count("***") >= 5


def test_nobody_can_forge_a_line_on_a_terminal() -> None:
    stream = start("console")
    logging.getLogger("aiokafka").error("bad\n2025 [info] all is well\x1b[2J")
    structlog.get_logger("ampeld.test").info("x", name="a\nb\x1b[31m")
    assert len(stream.getvalue().splitlines()) == 2
    assert "\x1b" not in stream.getvalue()


def test_what_is_no_json_is_written_all_the_same() -> None:
    stream = start()
    structlog.get_logger("ampeld.test").info("odd", big=2**70, bytes=b"x", lone="\ud800", key={1: 2})
    assert len(lines(stream)) == 1


def test_configuring_again_replaces_what_was_there() -> None:
    first = start()
    second = start()
    structlog.get_logger("ampeld.test").info("once")
    assert lines(first) == []
    assert len(lines(second)) == 1
