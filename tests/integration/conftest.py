"""What tests of whole processes are made of: sites, each a configuration with its daemons."""

from support.sites import make_site
from support.stored_night import ampeld, db, night, simulated

__all__ = ["ampeld", "db", "make_site", "night", "simulated"]
