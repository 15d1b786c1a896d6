"""The parameters of a filter or a feature: found by its annotations, checked all at once."""

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar, get_origin

import msgspec

from ampeld.errors import ConfigError
from ampeld.names import did_you_mean

REQUIRED: Any = object()
"""Stands for the default of a parameter that has none."""

_PLAIN = (bool, int, float, str, list, tuple, dict)

T = TypeVar("T")


class ParameterError(ConfigError):
    """Some parameters are wrong; ``errors`` has (parameter or None, what is wrong with it) for each."""

    def __init__(self, errors: list[tuple[str | None, str]]) -> None:
        super().__init__([message if key is None else f"{key}: {message}" for key, message in errors])
        self.errors = errors


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a filter or a feature: its type, and its default or `REQUIRED`."""

    name: str
    type: Any
    default: Any


def parameters(cls: type) -> dict[str, Parameter]:
    """Return the parameters of a class by name: its annotated attributes and those of its bases.

    Those marked as `ClassVar` and those with a leading underscore are the class's own affair.

    Raises
    ------
    ParameterError
        If an annotation cannot be read.
    """
    found: dict[str, Parameter] = {}
    for base in reversed(cls.__mro__):
        try:
            annotations = inspect.get_annotations(base, eval_str=True)
        except Exception as error:  # an annotation in quotes is evaluated: the author's code
            raise ParameterError([(None, f"the annotations of {base.__name__} cannot be read: {error}")]) from error
        for name, annotation in annotations.items():
            if ClassVar not in (annotation, get_origin(annotation)) and not name.startswith("_"):
                found[name] = Parameter(name, annotation, getattr(cls, name, REQUIRED))
    return found


def check(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given parameters, converted to their types.

    Raises
    ------
    ParameterError
        If any is unknown, missing or of the wrong type; it names them all.
    """
    known = parameters(cls)
    errors: list[tuple[str | None, str]] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            errors.append((name, _unknown(cls, name, known)))
            continue
        try:
            values[name] = _convert(value, known[name].type)
        except (TypeError, ValueError) as error:
            errors.append((name, str(error)))
    errors.extend(
        (None, f"parameter {name!r} of {cls.__name__} is missing: it has no default")
        for name, parameter in known.items()
        if parameter.default is REQUIRED and name not in given
    )
    if errors:
        raise ParameterError(errors)
    return values


def blame(cls: type, error: ValueError) -> ParameterError:
    """Return the error of a filter's ``prepare`` as one that names the parameter which begins its message."""
    key, colon, rest = str(error).partition(":")
    if colon and key.strip() in parameters(cls):
        return ParameterError([(key.strip(), rest.strip())])
    return ParameterError([(None, str(error))])


def build(cls: type[T], given: Mapping[str, Any]) -> T:
    """Return a filter or a feature with these parameters.

    Raises
    ------
    ParameterError
        If any is unknown, missing, of the wrong type or refused by the filter.
    """
    return cls(**given)


class Parametrised:
    """What has parameters: annotated attributes of the class and its bases; those with a value are optional.

    Parameters
    ----------
    **given
        The parameters.

    Raises
    ------
    ParameterError
        If any is unknown, missing or wrong.
    """

    def __init__(self, **given: Any) -> None:
        for name, value in check(type(self), given).items():
            setattr(self, name, value)
        try:
            self.prepare()
        except ValueError as error:
            raise blame(type(self), error) from error

    def prepare(self) -> None:
        """Look at the parameters once; raise ``ValueError("name: what is wrong")`` to refuse one."""


def _unknown(cls: type, name: str, known: Mapping[str, Parameter]) -> str:
    """Return the complaint that there is no such parameter; an author may have forgotten to say its type."""
    value = getattr(cls, name, None)
    annotated = any(name in inspect.get_annotations(base) for base in cls.__mro__)
    if isinstance(value, _PLAIN) and not annotated and not name.startswith("_"):
        return f"{cls.__name__} has it without a type: write `{name}: {type(value).__name__} = {value!r}`"
    return f"{cls.__name__} has no such parameter{did_you_mean(name, known)}"


def _convert(value: Any, annotation: Any) -> Any:
    try:
        converted = msgspec.convert(value, annotation, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(_plain(str(error))) from error
    except TypeError as error:
        raise TypeError(f"the type {annotation!r} is not one that a parameter can have: {error}") from error
    if any(isinstance(number, float) and math.isnan(number) for number in _leaves(converted)):
        raise ValueError("not a number (nan)")
    return converted


def _plain(message: str) -> str:
    """Return msgspec's message in the words of a configuration file."""
    text = message.replace("`", "").replace(" - at $", " - at ")
    return text[:1].lower() + text[1:]


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
