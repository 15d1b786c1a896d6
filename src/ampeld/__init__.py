"""ampeld: an alert broker for survey telescopes in one asyncio daemon."""

from importlib.metadata import version

__version__ = version("ampeld")
