"""The choice of what runs, as a pure function of the files, the gates and what runs already."""

from collections.abc import Mapping

import msgspec

from ampeld.daemon.files import ChannelFiles


class Candidates(msgspec.Struct, frozen=True):
    """What lies in the channels' directory, for this survey."""

    files: Mapping[str, ChannelFiles]
    broken: Mapping[str, list[str]] = {}
    """By channel: why its files cannot be read."""


class Choice(msgspec.Struct, frozen=True):
    """What is to run."""

    files: list[ChannelFiles] = []
    """By name."""
    refused: Mapping[str, list[str]] = {}
    """By channel: why its files were not taken."""
    waiting: Mapping[str, ChannelFiles] = {}
    """By channel: a version that has not passed its gate."""

    def without(self, refused: Mapping[str, list[str]], running: Mapping[str, ChannelFiles]) -> "Choice":
        """Return the choice with the running versions, where there are any, in place of those that are refused."""
        files = [running.get(one.name) if one.name in refused else one for one in self.files]
        waiting = {name: one for name, one in self.waiting.items() if name not in refused}
        return Choice([one for one in files if one is not None], {**self.refused, **refused}, waiting)


def choose(
    candidates: Candidates,
    running: Mapping[str, ChannelFiles],
    opened: frozenset[tuple[str, str]],
    *,
    former: Mapping[str, ChannelFiles | None] | None,
) -> Choice:
    """Return what is to run.

    Parameters
    ----------
    candidates
        What the directory holds.
    running
        What runs, by name; a channel whose files cannot be read goes on as it is.
    opened
        (name, version) of those that have passed their gate.
    former
        By name, what runs in place of a version that has not passed, None for nothing; None where gates only advise.
    """
    waiting = {name: one for name, one in candidates.files.items() if (name, one.version) not in opened}
    files: dict[str, ChannelFiles | None] = dict(candidates.files)
    if former is not None:
        files |= {name: former.get(name) for name in waiting}
    files |= {name: running[name] for name in candidates.broken if name in running}
    chosen = [one for _, one in sorted(files.items()) if one is not None]
    return Choice(chosen, candidates.broken, {n: one for n, one in waiting.items() if n not in candidates.broken})
