"""The kernel reads no byte too many and does nothing undefined, as gcc's sanitizers see it."""

import json

import pytest
from support import sanitized

FUZZ = sanitized.ROOT / "benchmarks" / "fuzz.py"
NUMBER = 10_000


@pytest.mark.timeout(300)  # the first time the kernel is built
@pytest.mark.skipif(sanitized.missing() is not None, reason=f"no build with sanitizers: {sanitized.missing()}")
def test_ten_thousand_damaged_alerts_go_through_the_sanitized_kernel():
    ran = sanitized.run(
        [str(FUZZ), "--number", str(NUMBER), "--seed", "20", "--compare", "0.01", "--json"], capture=True
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    found = json.loads(ran.stdout)
    assert found["packets"] == NUMBER
    assert 0.2 * NUMBER < found["valid"] < 0.8 * NUMBER
    assert found["compared"] > 0
    assert found["sanitized"]
