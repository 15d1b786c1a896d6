"""What the Kafka source needs to know, as plain values that never print a secret."""

from datetime import datetime
from typing import Literal

import msgspec

Start = Literal["earliest", "latest"] | datetime


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the brokers: protocol, credentials and certificates."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    """Certificate authority (PEM); None means those of the system."""
    cert_file: str | None = None
    """Our own certificate (PEM), where the broker asks for one."""
    key_file: str | None = None
    """The key of our certificate (PEM), unencrypted; None when it lies in ``cert_file``."""
    check_hostname: bool = True

    def __repr__(self) -> str:
        return f"Security(protocol={self.protocol!r}, mechanism={self.mechanism!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Show no secret in rich's own tracebacks and tables either."""
        return [("protocol", self.protocol), ("mechanism", self.mechanism)]


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the alerts come from, and as which member of which group."""

    brokers: tuple[str, ...]
    topics: tuple[str, ...]
    """Names; ``^…`` is a regular expression; one with ``{night`` is a template for the last eight UTC days."""
    group: str
    start: Start = "earliest"
    """Where a group begins that has never committed anything; a time without zone is UTC."""
    session_timeout_s: float = 45.0
    client_id: str = "ampeld"
    max_message_bytes: int = 2 * 1024 * 1024
    security: Security = Security()
    until_end: bool = False
    """End when every assigned partition has reached the end that it had at the start."""
    topics_age_s: float = 10.0
    """How old the knowledge of topics and partitions may get [s]."""

    @property
    def heartbeat_s(self) -> float:
        """Return the interval of heartbeats [s]: at most a third of the session, as brokers want it."""
        return 0.3 if self.session_timeout_s <= 2 else min(3.0, self.session_timeout_s / 3)

    @property
    def rebalance_s(self) -> float:
        """Return how long the group waits for a member to finish its work when partitions move [s]."""
        return max(10.0, self.session_timeout_s)

    @property
    def request_s(self) -> float:
        """Return how long a request may take [s]: a join lasts as long as a rebalance and has no time of its own."""
        return max(60.0, self.rebalance_s + 15.0)
