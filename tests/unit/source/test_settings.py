"""Settings that never print a secret."""

import pytest

from ampeld.source.settings import KafkaSettings, Security


def settings(**changes: object) -> KafkaSettings:
    return KafkaSettings(**({"brokers": ("b:9092",), "topics": ("t",), "group": "g"} | changes))  # type: ignore[arg-type]


def test_no_secret_is_printed() -> None:
    security = Security(protocol="SASL_SSL", username="canary-name", password="canary-secret", key_file="canary.key")
    given = settings(security=security)
    for text in (repr(given), str(given), f"{given}", repr(security), str(security.__rich_repr__())):
        assert "canary" not in text


@pytest.mark.parametrize("session_s", [1.0, 2.0, 6.0, 45.0, 120.0])
def test_the_times_fit_each_other(session_s: float) -> None:
    given = settings(session_timeout_s=session_s)
    assert given.heartbeat_s <= session_s / 3 + 0.01
    assert given.heartbeat_s <= 3
    assert given.request_s > given.rebalance_s + 5
    assert given.rebalance_s >= session_s
