"""The asyncio parts that know nothing of astronomy: pipe, ledger, deadline, records and outcomes."""
