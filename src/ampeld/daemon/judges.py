"""From the configuration to the judge: beside the daemon, or in it."""

from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.settings import Settings

ChannelJudge = ProcessJudge | ThreadJudge


def make_judge(settings: Settings) -> ChannelJudge:
    """Return the judge that ``channels.isolation`` names, without channels yet."""
    section = settings.channels
    if section.isolation == "none":
        return ThreadJudge(section.error_budget, settings.catalogs.directory)
    rules = Rules(deadline_s=section.deadline_s, memory_mb=section.memory_mb, error_budget=section.error_budget)
    return ProcessJudge(rules, settings.catalogs.directory)
