"""The built-in units, one per file with its source."""
