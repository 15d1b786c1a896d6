"""What `ampeld.names` has, for channels."""

from ampeld.names import did_you_mean

__all__ = ["did_you_mean"]
