"""The claim on decoding: the kernel against fastavro's full decode of the same alerts, in the same run.

Simulated ZTF alerts of real size (65 kB, schema and cutouts included) are decoded in batches by the kernel, which
checks every byte and value, keeps all scalars and fills every column of the histories that the shipped channels read;
then those columns are taken. fastavro decodes the same bytes one by one to dictionaries (``schemaless_reader``, its
schema parsed once), and with that fills no columns yet. Rounds alternate; medians are of the processor time of the
thread, and the ratio is that of medians. Exits with 1 when the ratio is below the claim.

    python benchmarks/decode.py
    python benchmarks/decode.py --quick --json
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import fastavro
from rich.console import Console
from rich.table import Table

from ampeld.alert.container import read_header, read_record
from ampeld.alert.decode import KERNEL, WITHOUT_KERNEL, Decoder
from ampeld.alert.schema import parse, to_fastavro
from ampeld.alert.survey import ZTF
from ampeld.alert.table import AlertTable
from ampeld.channel.columns import Columns
from ampeld.daemon.channels import load_channels
from ampeld.demo.simulate import SimulatedNights

CHANNELS = Path(__file__).resolve().parents[1] / "channels"
LIMIT = 10_000_000
BATCH = 256
CLAIM = 30.0
"""How many times faster than fastavro."""


class Recorder:
    """A table that takes note of the columns that it is asked for."""

    def __init__(self, table: AlertTable) -> None:
        self._table = table
        self.read: set[tuple[str, ...]] = set()

    def __len__(self) -> int:
        return len(self._table)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def scalar(self, *field: str) -> Any:
        """Return a column."""
        self.read.add(("scalar", *field))
        return self._table.scalar(*field)

    def ragged(self, *field: str) -> Any:
        """Return a ragged column."""
        self.read.add(("ragged", *field))
        return self._table.ragged(*field)


def read_by_channels(table: AlertTable) -> list[tuple[str, ...]]:
    """Return the columns that the cuts of the shipped channels for ZTF read."""
    recorder = Recorder(table)
    for channel in load_channels(CHANNELS, ZTF.name):
        try:
            for _ in channel.filter.cuts(Columns(recorder)):
                pass
        except Exception as error:  # noqa: BLE001  a catalogue that is not here; what was read until then counts
            print(f"{channel.name}: {error}", file=sys.stderr)
    return sorted(recorder.read)


def take(table: AlertTable, columns: Sequence[tuple[str, ...]]) -> None:
    for how, *field in columns:
        getattr(table, how)(*field)


def timed(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def by_fastavro(values: Sequence[bytes]) -> None:
    header = read_header(values[0])
    schema = fastavro.parse_schema(to_fastavro(parse(header.schema)[0]))
    for value in values:
        fastavro.schemaless_reader(io.BytesIO(read_record(value, header)[0]), schema, None)


def measure(rounds: int) -> dict[str, Any]:
    values = [alert.packet for alert in SimulatedNights(seed=1, alerts=BATCH)]
    decoder = Decoder(LIMIT)
    columns = read_by_channels(decoder.decode(values).table)
    take(decoder.decode(values).table, columns)  # from now on they are filled at once

    def by_kernel() -> None:
        take(decoder.decode(values).table, columns)

    kernel, fast = [], []
    for _ in range(rounds):
        fast.append(timed(lambda: by_fastavro(values)))
        kernel += [timed(by_kernel) for _ in range(4)]
    table = decoder.decode(values).table
    per_alert = 1e6 / BATCH
    return {
        "alerts": BATCH,
        "bytes": round(sum(map(len, values)) / BATCH),
        "detections": round(int(table.offsets("detections")[-1]) / BATCH, 1),
        "limits": round(int(table.offsets("limits")[-1]) / BATCH, 1),
        "columns": len(columns),
        "kernel_us": round(median(kernel) * per_alert, 2),
        "fastavro_us": round(median(fast) * per_alert, 1),
        "ratio": round(median(fast) / median(kernel), 1),
        "claim": CLAIM,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if not KERNEL:
        sys.exit(WITHOUT_KERNEL)
    found = measure(5 if options.quick else 30)
    if options.json:
        print(json.dumps(found))
    else:
        table = Table("what", "per alert", title=f"{found['bytes'] / 1000:.0f} kB alerts, batches of {BATCH}")
        table.add_row("points", f"{found['detections']:g} detections, {found['limits']:g} limits")
        table.add_row(f"kernel, every byte checked, {found['columns']} columns taken", f"{found['kernel_us']:.1f} µs")
        table.add_row("fastavro, to dictionaries", f"{found['fastavro_us']:.0f} µs")
        table.add_row("ratio", f"{found['ratio']:.0f} times (claimed: {CLAIM:.0f})")
        Console().print(table)
    return int(found["ratio"] < CLAIM)


if __name__ == "__main__":
    sys.exit(main())
