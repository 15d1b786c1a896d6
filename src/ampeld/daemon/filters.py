"""From the words ``rapid.py:Rapid`` or ``package.module:Class`` to a filter class, every mistake named by its line."""

import inspect
from typing import Any

from ampeld.channel import Filter
from ampeld.daemon.authors import AuthorCodeError, ModuleLoader, package, plain, where
from ampeld.daemon.files import ChannelFiles
from ampeld.names import did_you_mean
from ampeld.params import ParameterError, build


class FilterLoader(ModuleLoader):
    """Finds filter classes."""

    def find(self, words: str, files: ChannelFiles) -> type[Filter]:
        """Return the class that a channel names.

        Raises
        ------
        AuthorCodeError
            If there is none, it is no filter, or its module cannot be executed.
        """
        place, colon, name = words.rpartition(":")
        if not colon or not place or not name.isidentifier():
            raise AuthorCodeError(f"{words!r} is neither 'file.py:Class' nor 'package.module:Class'")
        module = self.module(place, files) if place.endswith(".py") else package(place)
        found = getattr(module, name, None)
        if found is None:
            near = did_you_mean(name, [key for key, value in vars(module).items() if _is_filter(value)])
            raise AuthorCodeError(f"{place} has no class {name!r}{near}")
        if not _is_filter(found):
            raise AuthorCodeError(f"{words!r} is no filter: it does not derive from ampeld.channel.Filter")
        return found  # type: ignore[no-any-return]  # it was looked at


def make(cls: type[Filter], params: dict[str, Any]) -> Filter:
    """Return the filter with its parameters.

    Raises
    ------
    ParameterError
        If any parameter is wrong.
    AuthorCodeError
        If the filter's own code fails on them.
    """
    try:
        return build(cls, params)
    except ParameterError:
        raise
    except (Exception, SystemExit) as error:  # science code: prepare() is the author's
        raise AuthorCodeError(plain(error), where(error, [inspect.getfile(cls)])) from error


def _is_filter(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Filter) and value is not Filter
