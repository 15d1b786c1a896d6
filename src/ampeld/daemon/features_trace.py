"""The traces of units: which code, parameters, libraries and models their values come from."""

import platform
from collections.abc import Mapping

import msgspec

from ampeld.daemon.features import MadeUnit
from ampeld.daemon.features_sources import sources_of
from ampeld.feature.recipe import canonical_hash
from ampeld.flow.trace import Trace


def trace_of(made: MadeUnit, resources: Mapping[str, str]) -> Trace:
    """Return the trace of a unit.

    Parameters
    ----------
    made
        The unit, with the texts that it was made from.
    resources
        By name: the digests of the catalogues and files that it asks for.
    """
    sources = sources_of(made.recipe.unit, made.files)
    trace = Trace(
        id=0,
        unit=made.recipe.unit,
        version=type(made.unit).version,
        digest=sources.digest,
        params=made.recipe.params,
        config=made.recipe.config,
        py=platform.python_version(),
        libraries=sources.libraries,
        resources=dict(resources),
    )
    told = msgspec.structs.asdict(trace)
    del told["id"]
    return msgspec.structs.replace(trace, id=canonical_hash(told))
