"""Looks at a MongoDB URI without asking any server."""

import warnings

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

_SRV = "mongodb+srv://"


def uri_problem(uri: str) -> str | None:
    """Return what is wrong with a URI, never a part of it; None when the driver would take it."""
    if not uri.startswith(("mongodb://", _SRV)):
        return "is not mongodb://… or mongodb+srv://…"
    # What stands behind an srv name is known to the name server only: its form is that of a host without a port.
    plain = f"mongodb://{uri.removeprefix(_SRV).partition('?')[0]}" if uri.startswith(_SRV) else uri
    try:
        with warnings.catch_warnings(action="ignore"):
            parse_uri(plain, warn=True)
    except (PyMongoError, ValueError) as error:
        return (
            f"cannot be read ({type(error).__name__}): write mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS, "
            "with what is neither letter nor digit in user and password percent-encoded"
        )
    return None
