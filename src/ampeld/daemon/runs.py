"""The name that everything a process writes bears: when it began, and what no other has."""

import uuid
from datetime import UTC, datetime


def new_run() -> str:
    """Return the name of a run that begins now."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
