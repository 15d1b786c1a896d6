"""From the configuration to the judge: beside the daemon, or in it."""

from ampeld.daemon.isolation.follower import Follower
from ampeld.daemon.isolation.judge import ProcessJudge, Rules
from ampeld.daemon.isolation.thread import ThreadJudge
from ampeld.daemon.settings import Settings

ChannelJudge = ProcessJudge | ThreadJudge


def make_judge(settings: Settings, follower: Follower | None = None) -> ChannelJudge:
    """Return the judge that ``channels.isolation`` names, without channels yet.

    Parameters
    ----------
    settings
        The configuration.
    follower
        Who works with the channels' processes too; closed with the judge.
    """
    judge = _make(settings)
    if follower is not None:
        judge.follower = follower
    return judge


def _make(settings: Settings) -> ChannelJudge:
    section = settings.channels
    if section.isolation == "none":
        return ThreadJudge(section.error_budget, settings.catalogs.directory)
    rules = Rules(
        deadline_s=section.deadline_s,
        memory_mb=section.memory_mb,
        error_budget=section.error_budget,
        measuring_mb=settings.features.memory_mb,
    )
    return ProcessJudge(rules, settings.catalogs.directory)
