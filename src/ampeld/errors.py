"""The errors that cross packages, named by what happens next."""


class AmpeldError(Exception):
    """The root of every error that ampeld raises on purpose."""


class ConfigError(AmpeldError):
    """The configuration is wrong: print every problem, start nothing, exit 78.

    Parameters
    ----------
    problems : list of str
        One line each, naming file, line and key where they are known.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PoisonError(AmpeldError):
    """One record can never be read: dead-letter it with this reason, go on."""


class RetryableError(AmpeldError):
    """A server did not do its part: back off and do the same again; never a dead letter."""


class AccessDeniedError(AmpeldError):
    """A server refuses our credentials or certificate, or we refuse its: exit 77 at the start."""


class ChannelCodeError(AmpeldError):
    """A channel's own code failed on an alert: count it against that channel; the others go on."""


class InvariantError(AmpeldError):
    """ampeld itself is wrong: stop at once and commit nothing more."""
