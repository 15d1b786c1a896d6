"""What can be wrong with a table to import, and with a catalogue."""

from ampeld.errors import AmpeldError, ConfigError


class CatalogError(AmpeldError):
    """A catalogue cannot be used: a file is missing, damaged, or of another format."""


class TableError(ConfigError):
    """A table cannot be imported; ``problems`` has one line for each reason, with file and column."""
