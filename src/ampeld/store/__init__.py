"""MongoDB behind one door: documents, idempotent writes, verdict blocks. The only package that knows the driver."""

import os

# Motor reads it when it is imported: with its default of five threads a core, stalled writes would starve a ping.
os.environ.setdefault("MOTOR_MAX_WORKERS", "16")
