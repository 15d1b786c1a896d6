"""The filter of a channel that takes every alert it may see."""

from ampeld.channel.filter import Filter


class PassAll(Filter):
    """Accepts everything; for tests and for small streams."""
