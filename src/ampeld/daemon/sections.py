"""The sections of the configuration: every key with its type, limits and default. `ampeld.toml` gives the reasons."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ampeld.daemon.secret import Secret

Text = Annotated[str, Meta(min_length=1)]
Texts = Annotated[list[Text], Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Listen = Annotated[str, Meta(description="host:port, unix:/path, or empty")]
Start = Literal["earliest", "latest"] | datetime
Night = Annotated[list[Text], Meta(min_length=1, description="paths, kafka:TOPIC or sim:SEED:ALERTS")]

MIB = 2**20


class SecuritySection(msgspec.Struct, frozen=True, kw_only=True):
    """How the brokers are reached and who we are to them."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: Secret | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    check_hostname: bool = True


class SourceSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the alerts come from."""

    brokers: Texts = msgspec.field(default_factory=lambda: ["localhost:9092"])
    topics: Texts = msgspec.field(default_factory=lambda: ["ztf_{night:%Y%m%d}_programid1"])
    group: Annotated[str, Meta(min_length=1, max_length=249)] = "ampeld"
    start: Start = "earliest"
    session_timeout_s: Annotated[float, Meta(ge=1, le=1800)] = 45.0
    survey: Literal["ztf", "lsst"] = "ztf"
    schema_registry: Text | None = None
    schema_registry_username: Secret | None = None
    schema_registry_password: Secret | None = None
    schema_directory: Path = Path("var/schemas")
    max_message_bytes: Annotated[int, Meta(ge=1024, le=1024 * MIB)] = 2 * MIB
    max_batch: Count = 256
    security: SecuritySection = SecuritySection()


class StoreSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the documents lie."""

    uri: Secret = Secret("mongodb://localhost:27017")
    database: Annotated[str, Meta(pattern=r'^[^/\\. "$\x00]{1,63}$')] = "ampeld"
    timeout_s: Seconds = 10.0
    dead_letter_directory: Path = Path("var/dead-letters")


class ChannelsSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the channels are registered."""

    directory: Path = Path("channels")
    isolation: Literal["process", "none"] = "process"
    deadline_s: Annotated[float, Meta(ge=0.1, le=600)] = 5.0
    memory_mb: Annotated[int, Meta(ge=16, le=1_000_000)] = 256
    error_budget: Annotated[int, Meta(ge=1, le=1_000_000)] = 20
    gate: Literal["advise", "required"] = "advise"


class GateSection(msgspec.Struct, frozen=True, kw_only=True):
    """What channels are tried on before they are trusted."""

    night: Night = msgspec.field(default_factory=lambda: ["sim:0:2000"])


class FeaturesSection(msgspec.Struct, frozen=True, kw_only=True):
    """How long and with what features are measured, in the flow and from tickets."""

    inline_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    deadline_s: Annotated[float, Meta(ge=0.1, le=3600)] = 60.0
    processes: Annotated[int, Meta(ge=1, le=256)] = 1
    memory_mb: Annotated[int, Meta(ge=16, le=1_000_000)] = 512
    lease_s: Annotated[float, Meta(ge=1, le=3600)] = 120.0
    max_trials: Annotated[int, Meta(ge=1, le=100)] = 5


class CatalogsSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the catalogues lie in which channels search."""

    directory: Path = Path("var/catalogs")


class LedgerSection(msgspec.Struct, frozen=True, kw_only=True):
    """How long the account is kept."""

    keep_days: Annotated[int, Meta(gt=0, le=36_500)] = 30


class StatusSection(msgspec.Struct, frozen=True, kw_only=True):
    """Where the daemon tells of itself."""

    listen: Listen = "127.0.0.1:9600"
    allow_remote: bool = False


class DaemonSection(msgspec.Struct, frozen=True, kw_only=True):
    """How the process behaves."""

    grace_s: Annotated[float, Meta(gt=0, le=75)] = 15.0


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, and how."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
