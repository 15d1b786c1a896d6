"""Objects by the names that a user types."""

from collections.abc import Sequence

from ampeld.alert.survey import SurveyName, survey_of
from ampeld.errors import ConfigError


def stocks_of(names: Sequence[str], survey: SurveyName, *, option: str = "") -> dict[str, int]:
    """Return the numbers of objects by their names.

    Parameters
    ----------
    names
        As typed.
    survey
        Whose objects they are.
    option
        What they were typed behind, for the message.

    Raises
    ------
    ConfigError
        If some cannot be names of its objects; it names them all.
    """
    stocks: dict[str, int] = {}
    problems = []
    for name in names:
        try:
            stocks[name] = survey_of(survey).stock_of(name)
        except ValueError as error:
            problems.append(f"{option} {name}: {error}".lstrip())
    if problems:
        raise ConfigError(problems)
    return stocks


def stock_of(name: str, survey: SurveyName, *, option: str = "") -> int:
    """Return the number of one object; see `stocks_of`."""
    return stocks_of([name], survey, option=option)[name]
