"""Things that a file names: functions, as `module:name`, and methods of a stream with what they
take.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import cast, get_args, get_origin, get_type_hints

import msgspec

from aevents import stream as fluent
from aevents.stream import Stream

METHODS: Mapping[str, Callable[..., Stream[object]]] = {
    name: method
    for name, method in vars(Stream).items()
    if inspect.isfunction(method)
    and not name.startswith("_")
    and str(method.__annotations__.get("return")).startswith("Stream[")
}
"""The methods that make a stream of a stream."""


def function_named(given: object, /) -> Callable[..., object]:
    """Return the function that a name like `"module:name"` means, or a table of a `name` and the
    `arguments` that it is to have beside the item.

    Raises `ValueError` for what is no such name, and for what is not there or cannot be called.
    """
    if isinstance(given, Mapping):
        _refuse_unknown(given, ("name", "arguments"), "a function")
        arguments = given.get("arguments", {})
        if not isinstance(arguments, Mapping):
            raise ValueError(f"arguments are values by name, not {arguments!r}")
        return partial(function_named(given.get("name")), **arguments)
    found = named(given)
    if not callable(found):
        raise ValueError(f"{given} is no function")
    return found


def named(given: object, /) -> object:
    """Return what a name like `"module:name"` means. Raises `ValueError` for what is no such name,
    and for what is not there.
    """
    module, _, name = given.partition(":") if isinstance(given, str) else ("", "", "")
    if not (module and name):
        raise ValueError(f'a function is named as "module:name", not {given!r}')
    if not _is_there(module):
        raise ValueError(f"{given}: there is no module {module}")
    found: object = import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{given}: there is no {name} in {module}")
        found = getattr(found, part)
    return found


def applied(stream: Stream[object], step: Mapping[str, object], /) -> Stream[object]:
    """Return the stream that a step makes of one: `{method = what it takes}`, a table by name or
    the first that it takes by itself.

    Raises `ValueError`, with the name of the method, for what it does not take.
    """
    if len(step) != 1:
        raise ValueError(f"a step is one method and what it takes, not {len(step)}: {dict(step)}")
    [(name, given)] = step.items()
    if name not in METHODS:
        raise ValueError(f"a stream has no method {name}; it has {', '.join(sorted(METHODS))}")
    try:
        return _called(METHODS[name], stream, given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error


def _called(
    method: Callable[..., Stream[object]], stream: Stream[object], given: object
) -> Stream[object]:
    _, *parameters = inspect.signature(method).parameters.values()
    names = [one.name for one in parameters]
    named = given if isinstance(given, Mapping) and not _names_function(given) else None
    if named is None:
        named = {names[0]: given} if names else {"": given}
    _refuse_unknown(named, names, "it")
    hints = get_type_hints(method, vars(fluent))
    values = {name: _converted(value, hints[name], name) for name, value in named.items()}
    first = [
        values.pop(one.name)
        for one in parameters
        if one.kind is one.POSITIONAL_ONLY and one.name in values
    ]
    inspect.signature(method).bind(stream, *first, **values)
    return method(stream, *first, **values)


def _converted(value: object, hint: object, name: str) -> object:
    origins = [get_origin(one) for one in (hint, *get_args(hint))]
    if Callable in origins and isinstance(value, str | Mapping):
        return function_named(value)
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from None
    except TypeError:  # a type that no file has a word for: an array, a dtype
        return value


def _refuse_unknown(given: Mapping[str, object], known: object, what: str) -> None:
    names = tuple(cast("tuple[str, ...]", known))
    for name in given:
        if name not in names:
            takes = f"takes {', '.join(names)}" if names else "takes nothing"
            raise ValueError(f"{what} {takes}, and no {name or 'value'}")


def _names_function(given: Mapping[str, object]) -> bool:
    return "name" in given and ":" in str(given["name"])


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
