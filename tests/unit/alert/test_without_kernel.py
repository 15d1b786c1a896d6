"""Where the kernel was not built, fastavro decodes the same alerts, and the reason is said."""

import subprocess
import sys

from support.ztf_packets import encode, packet

WITHOUT = """
import sys

sys.modules["ampeld.alert.kernel"] = None  # as if it had not been compiled
from ampeld.alert.decode import DECODER, KERNEL, WITHOUT_KERNEL, Decoder

assert not KERNEL
assert DECODER == "fastavro"
found = Decoder(10_000_000).decode([b"junk", sys.stdin.buffer.read()])
assert (found.rows, len(found.poison), len(found.table)) == ([1], 1, 1)
print(type(found.table).__name__, found.table.object[0], WITHOUT_KERNEL)
"""


def test_alerts_are_decoded_and_the_absence_is_said_in_one_sentence():
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], input=encode(packet()), check=False, capture_output=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr.decode()
    kind, name, sentence = ran.stdout.decode().split(maxsplit=2)
    assert (kind, name) == ("PacketTable", packet()["objectId"])
    assert sentence.startswith("the compiled kernel is not there (")
    assert "fastavro" in sentence
