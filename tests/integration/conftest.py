"""What tests of whole processes are made of: sites, each a configuration with its daemons."""

from support.sites import make_site

__all__ = ["make_site"]
