"""Makes consumers and takes them down again, whatever state the broker is in, and says why a broker lets nobody in."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError

from ampeld.errors import AccessDeniedError, ConfigError, RetryableError
from ampeld.source.settings import KafkaSettings, Security

_log = structlog.get_logger("ampeld.source")

_REFUSALS = ("Authentication", "authentication", "SASL", "Sasl", "CERTIFICATE", "certificate", "ALERT", "[SSL")


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return what every client of these brokers is made with.

    Raises
    ------
    ConfigError
        If credentials are missing or a certificate cannot be read.
    """
    security = settings.security
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "client_id": settings.client_id,
        "security_protocol": security.protocol,
        "request_timeout_ms": round(settings.request_s * 1000),
        "retry_backoff_ms": 250,
        "metadata_max_age_ms": round(settings.topics_age_s * 1000),
    }
    if security.protocol.startswith("SASL"):
        if not security.username or security.password is None:
            raise ConfigError([f"source.security: {security.protocol} needs username and password"])
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = security.password
    if security.protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(security)
    return options


def _ssl_context(security: Security) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
        if security.cert_file is not None:
            # An encrypted key would ask for its password on a terminal that a daemon does not have.
            context.load_cert_chain(security.cert_file, security.key_file, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (security.ca_file, security.cert_file, security.key_file)))
        raise ConfigError([f"source.security: cannot read the certificates ({files}): {error}"]) from error
    context.check_hostname = security.check_hostname
    return context


def make_consumer(settings: KafkaSettings, **changes: Any) -> AIOKafkaConsumer:
    """Return a consumer that commits nothing by itself and jumps nowhere by itself."""
    options = {
        **client_options(settings),
        "group_id": settings.group,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "fetch_max_bytes": 16 * 1024 * 1024,  # smaller fetches cost more CPU each, larger ones more memory
        "max_partition_fetch_bytes": 1024 * 1024,
        # A batch costs as much as some ten alerts: at a slow rate, or where several daemons share one, it may gather.
        "fetch_min_bytes": 4 * 1024 * 1024,
        "fetch_max_wait_ms": 250,
        "check_crcs": True,
        "session_timeout_ms": round(settings.session_timeout_s * 1000),
        "heartbeat_interval_ms": round(settings.heartbeat_s * 1000),
        "rebalance_timeout_ms": round(settings.rebalance_s * 1000),
        "max_poll_interval_ms": 600_000,
        # Every rebalance of aiokafka revokes everything, so an assignor that sticks would spare nothing.
        "partition_assignment_strategy": (RoundRobinPartitionAssignor,),
        **changes,
    }
    return AIOKafkaConsumer(**options)


class _Listening(logging.Handler):
    """Keeps the last messages of a logger: aiokafka tells the cause of a failed start nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages = [*self.messages[-4:], record.getMessage() + _deeper(record)]


def _deeper(record: logging.LogRecord) -> str:
    """Return what aiokafka knows of a failure and does not say: the name of an error without a text, and its cause.

    A broker that wants another certificate says so after the handshake; all that aiokafka tells is "closed".
    """
    errors = [argument for argument in record.args or () if isinstance(argument, BaseException)]
    names = [type(error).__name__ for error in errors if not str(error)]
    return "".join(names + [f" ({error.__cause__})" for error in errors if error.__cause__ is not None])


@contextlib.contextmanager
def explained(brokers: tuple[str, ...]) -> Iterator[None]:
    """Turn the failure of a start into an error that names its cause.

    Raises
    ------
    AccessDeniedError
        If credentials or certificates are the cause.
    RetryableError
        If no broker answers.
    """
    logger = logging.getLogger("aiokafka")
    listening = _Listening()
    logger.addHandler(listening)
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        causes = "; ".join(dict.fromkeys(listening.messages)) or str(error) or type(error).__name__
        text = f"no answer from {', '.join(brokers)}: {causes}"
        if any(word in causes for word in _REFUSALS):
            raise AccessDeniedError(text) from error
        raise RetryableError(text) from error
    finally:
        logger.removeHandler(listening)


async def start_consumer(consumer: AIOKafkaConsumer, settings: KafkaSettings, deadline_s: float = 30.0) -> None:
    """Start a consumer, or leave nothing of it behind and say why."""
    try:
        with explained(settings.brokers):
            async with asyncio.timeout(deadline_s):
                await consumer.start()
    except BaseException:
        await close_consumer(consumer, 1.0)
        raise


async def close_consumer(consumer: AIOKafkaConsumer, deadline_s: float) -> None:
    """Stop a consumer, leaving its group if the broker answers in time, and leave no task and no socket behind."""
    try:
        await _try_to_end(consumer.stop, deadline_s)
    finally:
        await _remove_remains(consumer)


async def _try_to_end(end: Callable[[], Awaitable[None]], deadline_s: float) -> None:
    """Do what ends a client, or a part of it, as far as it goes: nobody has any use for it from now on."""
    try:
        async with asyncio.timeout(deadline_s):
            await end()
    except asyncio.CancelledError:
        # With the broker down aiokafka awaits a task that it has cancelled itself.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
    except (KafkaError, OSError, TimeoutError):
        pass
    except Exception as error:  # noqa: BLE001  whatever one of its tasks has died of
        _log.warning("source.client_ends_badly", error=repr(error), exc_info=error)


async def _remove_remains(consumer: AIOKafkaConsumer) -> None:
    # What a stop that failed leaves open can be reached only through private names.
    consumer._closed = True  # noqa: SLF001
    tasks = _tasks(consumer)
    for task in tasks:
        task.cancel()
    if tasks:
        ended, _ = await asyncio.wait(tasks, timeout=1.0)
        for task in ended:
            if not task.cancelled():
                task.exception()  # looked at, so that nobody complains that nobody did
    await _try_to_end(consumer._client.close, 1.0)  # noqa: SLF001


def _tasks(consumer: AIOKafkaConsumer) -> list[asyncio.Task[Any]]:
    owners = (
        (consumer._coordinator, ("_coordination_task", "_heartbeat_task", "_commit_refresh_task")),  # noqa: SLF001
        (consumer._fetcher, ("_fetch_task",)),  # noqa: SLF001
    )
    named = [getattr(owner, name, None) for owner, names in owners for name in names]
    pending = list(getattr(consumer._fetcher, "_pending_tasks", ()))  # noqa: SLF001
    return [task for task in (*named, *pending) if task is not None and not task.done()]


def broken_task(consumer: AIOKafkaConsumer) -> str | None:
    """Return the name of a task of the consumer that has ended, without which it delivers nothing for ever."""
    for owner, name in (
        (consumer._fetcher, "_fetch_task"),  # noqa: SLF001
        (consumer._coordinator, "_coordination_task"),  # noqa: SLF001
        (consumer._client, "_sync_task"),  # noqa: SLF001
    ):
        task = getattr(owner, name, None)
        if task is not None and task.done():
            return name.strip("_")
    return None
