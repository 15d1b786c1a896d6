"""Whether the files that units measure with are still those that were opened, when channels are to be loaded anew."""

from collections.abc import Sequence
from pathlib import Path

from ampeld.catalog.directory import Found
from ampeld.daemon.feature_resources import LocalResources, ResourceError
from ampeld.flow.trace import Trace


def changed_files(traces: Sequence[Trace], directory: Path) -> dict[str, str]:
    """Return by name the digests of the files and directories that hold something else by now; all of them are read.

    Parameters
    ----------
    traces
        Of the units in force.
    directory
        Where channel files lie: relative names are meant from there.
    """
    found = LocalResources(Found({}, {}), directory)
    changed: dict[str, str] = {}
    for name, digest in {one: digest for trace in traces for one, digest in trace.resources.items()}.items():
        try:
            found.path(name)
        except ResourceError:
            continue  # a catalogue, or a file that is gone: who loads its channel says so
        if found.digests[name] != digest:
            changed[name] = found.digests[name]
    return changed
