"""MongoDB behind one door: documents, idempotent writes, verdict blocks. The only package that knows the driver."""
