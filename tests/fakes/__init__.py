"""Fakes of the ports, held to the same words as the adapters by the suites in `tests/contract`."""
